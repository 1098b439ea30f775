#include "controller/experiment/file/selection.h"

#include "controller/experiment/file/fault_keys.h"

namespace faultline {
namespace {

StatusOr<v1::GilbertElliott> read_bursts(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "bursts", kBurstsKeys));
  v1::GilbertElliott bursts;
  FL_ASSIGN_OR_RETURN(const double enter, read_chance(fields.at("enterBad"), "enterBad"));
  FL_ASSIGN_OR_RETURN(const double leave, read_chance(fields.at("leaveBad"), "leaveBad"));
  bursts.set_enter_bad(enter);
  bursts.set_leave_bad(leave);
  FL_ASSIGN_OR_RETURN(const double in_bad, fields.percentage("hitInBad", 1));
  FL_ASSIGN_OR_RETURN(const double in_good, fields.percentage("hitInGood", 0));
  if (in_bad <= 0 && in_good <= 0) {
    return error_at(fields.at("hitInBad").pos, "hitInBad: with 0% here and in the good state nothing is hit");
  }
  if (fields.find("hitInBad") != nullptr) bursts.set_hit_in_bad(in_bad);
  if (fields.find("hitInGood") != nullptr) bursts.set_hit_in_good(in_good);
  return bursts;
}

}  // namespace

StatusOr<v1::Selection> read_selection(const Fields& fields) {
  const std::string_view how = fields.choice();
  const YamlNode& node = fields.at(how);
  v1::Selection selection;
  if (how == "bursts") {
    FL_ASSIGN_OR_RETURN(*selection.mutable_bursts(), read_bursts(node));
  } else if (how == "probability") {
    FL_ASSIGN_OR_RETURN(const double probability, read_chance(node, how));
    selection.set_probability(probability);
  } else {
    FL_ASSIGN_OR_RETURN(const std::uint64_t n, read_integer(node, how, 1, UINT64_MAX));
    if (how == "every") selection.set_every(n);
    if (how == "first") selection.set_first(n);
  }
  return selection;
}

}  // namespace faultline
