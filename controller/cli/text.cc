#include "controller/cli/text.h"

namespace faultline {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) ++i;
    out += c1 || (byte < 0x20 && byte != '\n') || byte == 0x7f ? '?' : text[i];
  }
  return out;
}

std::string fit(std::string_view text, std::size_t columns) {
  std::size_t width = 0;
  std::size_t cut = 0;  // where the text ends if it has to make room for the two dots
  std::string line = printable(text);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\n') line[i] = ' ';
    if (continues(line[i])) continue;
    if (width + 2 == columns) cut = i;
    if (++width > columns) return columns < 2 ? line.substr(0, columns) : line.substr(0, cut) + "..";
  }
  return line;
}

}  // namespace faultline
