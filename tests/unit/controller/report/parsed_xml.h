// A test's view of an XML text, read by libxml2.
#pragma once

#include <libxml/parser.h>

#include <map>
#include <string>
#include <vector>

namespace faultline {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // of the element itself
  std::vector<XmlElement> children;

  std::vector<const XmlElement*> all(const std::string& child) const {
    std::vector<const XmlElement*> found;
    for (const XmlElement& element : children) {
      if (element.name == child) found.push_back(&element);
    }
    return found;
  }
};

inline XmlElement element_of(const xmlNode* node) {
  const auto text_of = [](const xmlChar* text) { return std::string(reinterpret_cast<const char*>(text)); };
  XmlElement element;
  element.name = text_of(node->name);
  for (const xmlAttr* a = node->properties; a != nullptr; a = a->next) {
    element.attributes[text_of(a->name)] = a->children != nullptr ? text_of(a->children->content) : "";
  }
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) element.children.push_back(element_of(child));
    if (child->type == XML_TEXT_NODE) element.text += text_of(child->content);
  }
  return element;
}

// The root; its name is empty where the text is not well-formed.
inline XmlElement parsed_xml(const std::string& text) {
  xmlDoc* document =
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
  if (document == nullptr) return {};
  XmlElement root = element_of(xmlDocGetRootElement(document));
  xmlFreeDoc(document);
  return root;
}

}  // namespace faultline
