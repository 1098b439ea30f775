// The published schema and the reader must take the same keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/experiment/file/fault_kinds.h"

namespace faultline {
namespace {

using Json = nlohmann::json;
using Names = std::set<std::string>;

Json read_schema() {
  std::ifstream stream(FAULTLINE_SOURCE_DIR "/docs/experiment.schema.json");
  return Json::parse(stream, nullptr, false);
}

Names required_of(const Json& schema) {
  Names names;
  if (schema.contains("required")) names = schema["required"].get<Names>();
  return names;
}

Names choices_of(const Json& schema) {
  Names names;
  if (!schema.contains("oneOf")) return names;
  for (const Json& choice : schema["oneOf"]) names.merge(required_of(choice));
  return names;
}

TEST(ExperimentSchema, TakesTheKeysThatTheReaderTakes) {
  const Json schema = read_schema();
  ASSERT_TRUE(schema.is_object());
  for (const KeyTable* table : all_key_tables()) {
    const Json::json_pointer where{std::string(table->schema)};
    ASSERT_TRUE(schema.contains(where)) << table->schema;
    const Json& mapping = schema[where];

    Names keys(table->choices.begin(), table->choices.end());
    Names required;
    for (const Key& key : table->keys) {
      keys.emplace(key.name);
      if (key.required) required.emplace(key.name);
    }
    Names properties;
    for (const auto& [name, value] : mapping["properties"].items()) properties.insert(name);
    EXPECT_EQ(properties, keys) << table->schema;
    EXPECT_EQ(required_of(mapping), required) << table->schema;
    EXPECT_EQ(choices_of(mapping), Names(table->choices.begin(), table->choices.end())) << table->schema;
    EXPECT_EQ(mapping["additionalProperties"], false) << table->schema;
  }
}

TEST(ExperimentSchema, HasNoMappingThatTheReaderDoesNotKnow) {
  const Json schema = read_schema();
  Names known;
  for (const KeyTable* table : all_key_tables()) known.emplace(table->schema);
  EXPECT_EQ(known.size(), all_key_tables().size()) << "two tables claim the same place";
  for (const auto& [name, definition] : schema["$defs"].items()) {
    if (definition.contains("properties")) {
      EXPECT_TRUE(known.contains("/$defs/" + name)) << name;
    }
  }
}

TEST(ExperimentSchema, EveryFaultKindOfTheProtocolCanBeWritten) {
  Names kinds;
  for (const FaultKind& kind : fault_kinds()) kinds.emplace(kind.name);
  Names fields;
  const google::protobuf::OneofDescriptor* oneof = v1::FaultSpec::descriptor()->FindOneofByName("kind");
  ASSERT_NE(oneof, nullptr);
  for (int i = 0; i < oneof->field_count(); ++i) fields.insert(oneof->field(i)->name());
  EXPECT_EQ(kinds, fields);
}

}  // namespace
}  // namespace faultline
