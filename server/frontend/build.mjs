// Builds the pages' styles, script and icons into the server's package, under names that change with their content.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = join(HERE, "..", "gmsafety_server", "static");
const PACKAGES = join(HERE, "node_modules");
const TABLER = join(PACKAGES, "@tabler", "icons");

// Browsers still found in these offices are built on Chromium 88 and later.
const TARGET = ["chrome88", "firefox91", "safari15"];

const read = (...path) => readFile(join(...path), "utf8");

/** Writes a file as `name.<hash>.suffix` and returns that name. */
async function writeHashed(name, text) {
  const [stem, suffix] = name.split(".");
  const hashed = `${stem}.${createHash("sha256").update(text).digest("hex").slice(0, 10)}.${suffix}`;
  await writeFile(join(OUT, hashed), text);
  return hashed;
}

/** Bundles one source with everything it imports. */
async function bundle(source) {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: [source],
    bundle: true,
    minify: true,
    format: "iife",
    target: TARGET,
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
    write: false,
    outdir: OUT,
  });
  return result.outputFiles[0].text;
}

/** The inside of an SVG file, on one line, without the invisible square that Tabler draws first. */
function insideOf(svg) {
  const inside = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return inside
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "")
    .replace(/\s*\n\s*/g, "")
    .replace(/\s+\/>/g, "/>");
}

async function symbol(line) {
  const [name, source] = line.split(/\s+/);
  if (source === "favicon") {
    return `<symbol id="${name}" viewBox="0 0 24 24">${insideOf(await read(HERE, "favicon.svg"))}</symbol>`;
  }
  const filled = source.startsWith("filled/");
  const file = join(TABLER, "icons", filled ? "filled" : "outline", `${basename(source)}.svg`);
  const svg = await readFile(file, "utf8").catch(() => {
    throw new Error(`icons.txt: "${name}" asks for Tabler's icon "${source}", which does not exist`);
  });
  const paint = filled
    ? 'fill="currentColor" stroke="none"'
    : 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${name}" viewBox="0 0 24 24" ${paint}>${insideOf(svg)}</symbol>`;
}

/** One SVG file that holds every icon named in `icons.txt`, each once. */
async function sprite() {
  const lines = (await read(HERE, "icons.txt")).split("\n").map((line) => line.trim());
  const wanted = lines.filter((line) => line && !line.startsWith("#"));
  const names = wanted.map((line) => line.split(/\s+/)[0]);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  if (twice.length) throw new Error(`icons.txt names these icons twice: ${twice.join(", ")}`);
  const symbols = await Promise.all(wanted.map(symbol));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
}

/** What the licences of the bundled packages ask us to carry along. */
async function licences() {
  const packages = ["htmx.org", "@tabler/icons"];
  const texts = await Promise.all(
    packages.map(async (name) => {
      const { version } = JSON.parse(await read(PACKAGES, name, "package.json"));
      return `${name} ${version}\n\n${(await read(PACKAGES, name, "LICENSE")).trim()}\n`;
    }),
  );
  return texts.join(`\n${"-".repeat(78)}\n\n`);
}

const made = {
  "app.css": await bundle("app.css"),
  "app.js": await bundle("app.js"),
  "icons.svg": await sprite(),
  "favicon.svg": await read(HERE, "favicon.svg"),
};
await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
await writeFile(join(OUT, "licences.txt"), await licences());
const manifest = {};
for (const [name, text] of Object.entries(made)) {
  manifest[name] = await writeHashed(name, text);
  console.log(`${String(Math.ceil(Buffer.byteLength(text) / 1024)).padStart(4)} KB  ${manifest[name]}`);
}
// Written last: where it stands, everything that it names stands too.
await writeFile(join(OUT, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
