"""The catalogue of findings: every kind the core can report. A code, once published, keeps its meaning.

F file · S shape of the form · T type of a value · R rule inside · P against last period · X across forms · U units and roll-ups.
"""

from types import MappingProxyType

from .findings import Kind, Severity

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741 - read as a column of the table below

# One kind of finding is one row.
# fmt: off
_ROWS: tuple[tuple[str, str, Severity, str, str, str], ...] = (
    # --- F: the file -----------------------------------------------------------------------------------------
    ("empty-file", "GM-F101", E, "空文件", "文件是空的（0字节）。", "请重新导出或重新传送。"),
    ("corrupt-file", "GM-F102", E, "文件损坏", "文件已损坏，无法打开：{why}。", "请用原软件打开后另存一份再报送。"),
    ("encrypted-file", "GM-F103", E, "文件加密", "文件设有密码，无法读取。", "请取消密码保护后重新保存。"),
    ("zip-bomb", "GM-F104", E, "解压过大", "文件解压后超过{limit}MB，远超正常表格。", "请另建新表，只保留表格内容。"),
    ("xml-entities", "GM-F105", E, "含实体定义", "文件内含有DOCTYPE或实体定义，正常的表格不会有。", "请用办公软件重新另存后报送。"),
    ("macro", "GM-F106", E, "含宏", "文件带有宏（VBA工程），为安全起见不予读取。", "请另存为不带宏的 .xlsx 或 .docx。"),
    ("wrong-extension", "GM-F107", E, "扩展名不符", "文件实际是{actual}，扩展名却是{extension}。", "请用办公软件打开后另存为 .xlsx 或 .docx。"),
    ("unsupported-format", "GM-F108", E, "格式不支持", "不能读取{actual}。", "请另存为 .xlsx 或 .docx 后再报送。"),
    ("external-link", "GM-F109", W, "外部链接", "引用了另一个文件或地址（{target}），未跟随链接，按保存的数值{value}读取。", "请将该处改为直接填写数值。"),
    ("file-too-large", "GM-F110", E, "文件过大", "文件有{size}MB，超过{limit}MB。", "请删除图片等无关内容后重新保存。"),
    ("formula-without-value", "GM-F111", E, "公式无结果", "单元格是公式（{formula}），但没有保存计算结果。", "请用办公软件打开并保存一次，或直接填写数值。"),
    ("sheet-too-large", "GM-F112", E, "工作表过大", "工作表在很远的行或列上有内容，范围过大，无法读取。", "请删除表格以外的多余行、列后重新保存。"),
    # --- S: which form, and its shape ------------------------------------------------------------------------
    ("no-table", "GM-S201", E, "没有表格", "文件里没有可以读取的表格{hint}。", "请报送可编辑的电子表格，不要报送图片或扫描件。"),
    ("wrong-form", "GM-S202", E, "不是所需的表", "文件里的表格不是任何一种已登记的表（最接近的是《{nearest}》，{score}%相像）。", "请使用下发的表样：{known}。"),
    ("close-form", "GM-S203", I, "相近的表", "按《{form}》读取；与《{runner_up}》也相近。", "如不是这张表，请注明。"),
    ("missing-column", "GM-S204", E, "缺少列", "表头缺少“{column}”一列。", "请按原表补上这一列，不得改动表格结构。"),
    ("renamed-column", "GM-S205", E, "列名改动", "“{found}”所在位置原表印的是“{column}”。", "请恢复原表列名；已暂按“{column}”读取。"),
    ("unknown-column", "GM-S206", I, "多出的列", "“{column}”不是原表的列，其内容未读取。", "如需保留，请填在备注中。"),
    ("column-order", "GM-S207", W, "列序改动", "列的顺序与原表不同，已按列名读取。", "请恢复原表的列序。"),
    ("missing-clause", "GM-S208", E, "缺少行", "缺少第{number}行“{label}”。", "请按原表补上这一行。"),
    ("nested-table", "GM-S209", I, "嵌套表格", "表格套在另一张表格里，已读取里面的表格。", "下次请直接使用下发的表样。"),
    ("table-in-textbox", "GM-S210", I, "文本框中的表格", "表格放在文本框里，已读取。", "下次请把表格放在正文中。"),
    ("several-tables", "GM-S211", W, "同一种表有几张", "文件里有{count}张《{form}》，只读取了{taken}。", "请只保留一张，或分开报送。"),
    ("hidden-copy", "GM-S212", I, "隐藏的同类表", "隐藏的工作表“{sheet}”也是《{form}》，未读取。", "请删除不用的工作表。"),
    ("missing-header", "GM-S213", W, "表头未填", "“{label}”没有填写。", "请在表头处填写{label}。"),
    ("not-understood", "GM-S214", I, "未能识别的内容", "这里的内容不属于表格，未读取：{text}。", "如是填报内容，请填入相应的栏目。"),
    ("duplicate-column", "GM-S215", E, "列名重复", "“{column}”一列出现了{count}次，只读取了第一列。", "请删除重复的列。"),
    ("duplicate-clause", "GM-S216", E, "行重复", "“{label}”一行出现了{count}次，只读取了第一次。", "请只保留一行。"),
    ("empty-rows", "GM-S217", I, "没有填写任何行", "表中没有填写任何一行，也没有写“无”。", "如本期确无内容，请写“无”（零报告）。"),
    ("continued-table", "GM-S218", W, "续表未读取", "像是前一张表的续表，但没有表头，未读取：{text}。", "请把续表并入前一张表，或在续表上重复表头。"),
    ("nil-with-numbers", "GM-S219", I, "零报告与数并存", "写有“零报告”，表中又有不为零的数；两者都按所写读取。", "如本期确无内容，请不要填数；如有内容，请删去“零报告”。"),
    ("nothing-filled", "GM-S220", I, "没有填写任何内容", "表中没有填写任何内容，也没有写“零报告”。", "如本期确无内容，请写明零报告。"),
    ("filed-outside-campaign", "GM-S221", W, "填报时间不在行动期间", "填报时间{text}不在专项行动期间（{first}至{last}）。", "请核对年份和日期。"),
    ("missing-row", "GM-S222", W, "缺少印好的行", "表上没有印好的这一行：{text}。", "请按原表补上，不得删减。"),
    ("missing-sheet", "GM-S223", W, "缺少工作表", "没有工作表“{sheet}”，按没有内容读取。", "如确有内容，请补上这张工作表，不要改名。"),
    ("old-version", "GM-S224", I, "不是现用的版本", "这是{version}版（{state}），现用{current}版；已按字段对照核对。", "请改用现用的表样。"),
    ("closed-version", "GM-S225", E, "版本不能接收", "这是{version}版（{state}），应使用{current}版。", "请用现用的表样重新填报。"),
    ("left-behind", "GM-S226", W, "新版没有的内容", "{version}版没有这些栏目，所填内容不计入：{fields}。", "如需保留，请写在备注中。"),
    ("mark-contradicts", "GM-S230", W, "标记与内容不符", "文件里的标记说这是{marked}，内容却是《{found}》；已按内容读取。", "请核对是否把内容贴进了另一张表的空白表；如无误，请改用这张表的空白表。"),
    ("mark-differs", "GM-S231", W, "与发下的表不符", "这张空白表发下时写明的{what}是“{marked}”，表头写的是“{found}”；已按表头读取。", "请核对是否拿错了表，或改正表头。"),
    ("mark-outdated", "GM-S232", W, "空白表已过时", "这张空白表是{marked}版，{why}。", "请下载现用的空白表重新填报。"),
    ("not-placed", "GM-S233", E, "模板里放不下", "模板里没有地方写“{field}”（{text}）。", "请在模板里补上这一栏，或改用正式的空白表。"),
    # --- T: the type of a value ------------------------------------------------------------------------------
    ("not-a-number", "GM-T301", E, "不是数字", "“{field}”应填一个数，现为“{text}”。", "请填写确定的阿拉伯数字。"),
    ("several-numbers", "GM-T302", E, "不止一个数", "“{field}”应填一个数，现有几个：{text}。", "请只填一个数。"),
    ("negative-number", "GM-T303", E, "负数", "“{field}”不能小于零，现为{text}。", "请核对后改正。"),
    ("not-an-integer", "GM-T304", E, "不是整数", "“{field}”应为整数，现为{text}。", "请填写整数。"),
    ("money-too-fine", "GM-T305", W, "金额不足一元", "“{field}”为{text}万元，折合到元后还有小数。", "请核对金额，最小到元。"),
    ("not-a-date", "GM-T306", E, "不是日期", "“{field}”应填一个日期，现为“{text}”。", "请按“2024年12月20日”的样式填写。"),
    ("impossible-date", "GM-T307", E, "没有这一天", "“{text}”不是真实的日期。", "请核对年月日。"),
    ("not-in-list", "GM-T308", E, "不在可选范围", "“{field}”填了“{text}”，应为：{choices}。", "请从规定的几项中选填。"),
    ("cell-too-long", "GM-T309", E, "内容过长", "“{field}”一格有{length}个字，超过电子表格每格32767字的上限，未采用。", "请缩短内容，附件另行报送。"),
    ("formula-like-text", "GM-T310", W, "像公式的文字", "“{text}”以 = + - @ 开头，表格软件可能当作公式执行；已按文字处理。", "请去掉开头的符号。"),
    ("missing-value", "GM-T311", E, "必填项空白", "“{field}”没有填写。", "请补填。"),
    ("sentence-changed", "GM-T312", W, "表述改动", "“{label}”的印好的句子被改写，未能读出：{blanks}。现为：{text}。", "请恢复原表的句子，只在空格处填数。"),
    ("wording-differs", "GM-T313", I, "措辞略有出入", "“{label}”的措辞与原表略有出入（“{found}”），已按原表的“{printed}”读取。", "请尽量不改动原表文字。"),
    ("error-value", "GM-T314", E, "错误值", "“{field}”是错误值{text}。", "请改正公式或直接填写。"),
    ("wrong-credit-code", "GM-T315", E, "信用代码有误", "统一社会信用代码有误。", "请按营业执照核对。"),
    ("value-not-allowed", "GM-T316", E, "值不合规定", "“{field}”不合规定：{why}。", "请核对后改正。"),
    # --- R: rules inside one form ----------------------------------------------------------------------------
    ("rectified-exceeds-found", "GM-R401", E, "整改多于发现", "已整改多于发现。", "请核对两个数；发现数应不少于已整改数。"),
    ("part-exceeds-total", "GM-R402", E, "部分大于总数", "其中的数大于总数。", "请核对总数与其中数。"),
    ("total-contradicts", "GM-R403", E, "合计与所列不符", "合计与所列不符。", "请核对合计与所列各项。"),
    ("missing-measure-part", "GM-R404", W, "整改措施不全", "整改措施缺少：{missing}。", "请写明整改{parts}。"),
    ("missing-completion-date", "GM-R405", E, "缺完成时间", "已完成整改，但没有写完成时间。", "请在“{field}”中写明完成时间。"),
    ("duplicate-number", "GM-R406", W, "序号重复", "序号{text}重复（上一处在{other}）。", "请按顺序重新编号。"),
    ("duplicate-row", "GM-R407", W, "重复的行", "与第{other}行是同一条（{keys}相同）。", "如确为同一条，请删去一行。"),
    ("future-date", "GM-R408", E, "晚于填报时间", "“{field}”为{text}，晚于填报时间{limit}。", "请核对日期。"),
    ("date-before-campaign", "GM-R409", E, "早于专项行动", "“{field}”为{text}，早于专项行动开始的{limit}。", "请核对日期；如系以前发现的，请在备注中说明。"),
    ("date-order", "GM-R410", E, "日期先后颠倒", "日期先后颠倒。", "请核对两个日期。"),
    ("rule-not-met", "GM-R411", W, "不符合填报要求", "不符合填报要求。", "请核对后改正。"),
    ("entry-contradicts", "GM-R412", E, "一行之内矛盾", "这一行前后矛盾：{why}。", "请核对各栏；经过只由系统续写，不宜手改。"),
    ("entry-twice", "GM-R413", E, "重复登记", "“{text}”已在第{other}行登记，本行未采用。", "请删去一行。"),
    ("derived-differs", "GM-R414", W, "推算的栏不符", "“{field}”由其他各栏得出，应为“{now}”，表上的“{text}”未采用。", "请改作为依据的栏，不要改推算出的栏。"),
    ("row-not-taken", "GM-R415", W, "本行未采用", "第{row}行有误，整行未采用。", "请改正后重新读入。"),
    ("computed-differs", "GM-R416", E, "算出的数不对", "“{field}”写{text}，按同一行（或其下各行）的数算得{computed}；已按算出的读取。", "请核对这一格和用来计算的各格。"),
    ("part-not-shown", "GM-R417", W, "须同时具备的没有写全", "{citation}须{parts}各项都不符合才是重大事故隐患，“{field}”没有写明：{missing}。", "请写明，或按一般隐患处理。"),
    # --- P: against the last period --------------------------------------------------------------------------
    ("lower-than-last-period", "GM-P501", E, "累计数下降", "“{field}”上期为{before}，本期为{now}；累计数据不应减少。", "请核对；如上期有误，请写明更正原因。"),
    ("row-gone", "GM-P502", W, "上期的行不见了", "上期第{number}条“{text}”本期没有；台账为累计数据，已销号的也应保留。", "请补回，或写明删除原因。"),
    ("not-comparable", "GM-P503", W, "不能与上期比较", "上期文件不能用来比较：{why}。", "请选用同一单位上一期的同一张表。"),
    # --- X: across forms -------------------------------------------------------------------------------------
    ("table-ledger-mismatch", "GM-X601", E, "表与台账不符", "统计表与台账不符。", "请核对统计表与台账，使两者一致。"),
    ("pair-not-comparable", "GM-X602", W, "不能对照", "不能与“{file}”对照：{why}。", "请选用同一单位同一期的另一张表。"),
    ("not-registered", "GM-X603", W, "没有登记", "“{field}”的“{text}”在工作表“{sheet}”中没有登记。", "请核对编号，或先补登记。"),
    # --- U: units and roll-ups -------------------------------------------------------------------------------
    ("unknown-unit", "GM-U701", I, "单位未登记", "填报单位“{text}”不在已登记的单位中。", "请使用单位全称，或由管理员登记这一名称。"),
    ("unit-not-below", "GM-U702", E, "不是下级单位", "“{text}”不是{upper}的下级填报单位，未计入。", "请核对文件与汇总单位。"),
    ("unit-twice", "GM-U703", E, "同一单位报了两次", "{unit}已由“{first}”计入，“{second}”未计入。", "请只保留一份。"),
    ("unit-missing", "GM-U704", W, "有单位未报", "{unit}没有报送，汇总数不含该单位。", "请催报，或按零报告处理。"),
    ("period-differs", "GM-U705", W, "不是本期", "填报时间{text}不在本期（{first}至{last}）。", "请核对是否为本期的表。"),
    ("not-own-number", "GM-U706", W, "填了上级的数", "{unit}填写了应由{upper}填写的“{field}”（{text}），未计入。", "请下级单位将此处留空。"),
    ("not-rolled-up", "GM-U707", E, "未能计入", "“{file}”未能计入汇总：{why}。", "请改正后重新汇总。"),
    ("own-part-differs", "GM-U708", E, "不是本级的部分", "本级部分“{file}”的填报单位是“{text}”，不是{unit}，未计入。", "请换成本单位自己的部分。"),
    ("empty-form-filed", "GM-U709", W, "报来的是空表", "{unit}的表没有填写任何内容，也没有写明零报告；按已报计。", "请与该单位核实；如确无内容，请其写明零报告。"),
    ("account-differs", "GM-U710", E, "填报单位不是本单位", "表上的填报单位是“{text}”，登录的是{unit}。", "请核对是否拿错了表，或把填报单位改为本单位。"),
)
# fmt: on

KINDS = MappingProxyType({row[0]: Kind(*row) for row in _ROWS})
"""Every kind of finding the core knows, by its slug."""
