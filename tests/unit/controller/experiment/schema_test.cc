// What is published about the file must be what the reader takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "controller/experiment/experiment_file.h"
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
  for (int i = 0; i < oneof->field_count(); ++i) fields.insert(oneof->field(i)->json_name());
  EXPECT_EQ(kinds, fields);
}

std::string read_guide() {
  std::ifstream stream(FAULTLINE_SOURCE_DIR "/docs/experiments.md");
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ExperimentGuide, ItsExamplesAreValid) {
  constexpr std::string_view kFence = "```yaml\n";
  const std::string guide = read_guide();
  int examples = 0;
  for (std::size_t at = guide.find(kFence); at != std::string::npos; at = guide.find(kFence, at)) {
    at += kFence.size();
    const StatusOr<Experiment> read = parse_experiment(guide.substr(at, guide.find("```", at) - at), "guide");
    EXPECT_TRUE(read.ok()) << read.status();
    ++examples;
  }
  EXPECT_GE(examples, 2);
}

TEST(ExperimentGuide, NamesEveryKey) {
  const std::string guide = read_guide();
  for (const KeyTable* table : all_key_tables()) {
    for (const Key& key : table->keys) {
      const std::string name(key.name);
      const bool named = guide.find("`" + name + "`") != std::string::npos ||
                         guide.find("`" + name + ".") != std::string::npos ||
                         guide.find("." + name + "`") != std::string::npos;
      EXPECT_TRUE(named) << name;
    }
    for (const std::string_view choice : table->choices) {
      EXPECT_NE(guide.find("`" + std::string(choice)), std::string::npos) << choice;
    }
  }
}

}  // namespace
}  // namespace faultline
