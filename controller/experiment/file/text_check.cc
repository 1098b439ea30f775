#include "controller/experiment/file/text_check.h"

#include "controller/experiment/file/yaml_tree.h"

namespace faultline {
namespace {

// Length of the UTF-8 character at the start of `text`; 0 when it is none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : (lead & 0xf0) == 0xe0        ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
  const bool beyond = lead == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

Status check_text(std::string_view text) {
  SourcePos pos{1, 1};
  bool indentation = true;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto value = static_cast<unsigned char>(c);
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return error_at(pos, "byte 0x{:02x} is not UTF-8; is this a text file?", value);
    if (c == '\t' && indentation) return error_at(pos, "a tab in the indentation; YAML wants spaces");
    if ((value < 0x20 && c != '\t' && c != '\n' && c != '\r') || value == 0x7f) {
      return error_at(pos, "control character 0x{:02x}; is this a text file?", value);
    }
    i += length;
    pos.column += static_cast<int>(length);
    if (c == '\n') {
      pos = {pos.line + 1, 1};
      indentation = true;
    } else if (c != ' ') {
      indentation = false;
    }
  }
  return ok_status();
}

}  // namespace faultline
