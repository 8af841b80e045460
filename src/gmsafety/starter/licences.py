"""Licences that an author may choose from, as they stand in the file LICENSE."""

from collections.abc import Mapping
from types import MappingProxyType

_APACHE = """\
Copyright the authors of TITLE

Licensed under the Apache License, Version 2.0 (the "License"); you may not use this software except in compliance
with the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0
Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
"AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the
specific language governing permissions and limitations under the License.
"""
_MULAN = """\
Copyright (c) the authors of TITLE
TITLE is licensed under Mulan PSL v2.
You can use this software according to the terms and conditions of the Mulan PSL v2.
You may obtain a copy of Mulan PSL v2 at:
         http://license.coscl.org.cn/MulanPSL2
THIS SOFTWARE IS PROVIDED ON AN "AS IS" BASIS, WITHOUT WARRANTIES OF ANY KIND,
EITHER EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO NON-INFRINGEMENT,
MERCHANTABILITY OR FIT FOR A PARTICULAR PURPOSE.
See the Mulan PSL v2 for more details.
"""
LICENCES: Mapping[str, str] = MappingProxyType({"Apache-2.0": _APACHE, "MulanPSL-2.0": _MULAN, "none": ""})
"""Text by SPDX name; `none` keeps all rights, and writes no file."""
