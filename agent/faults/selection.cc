#include "agent/faults/selection.h"

#include "agent/kernel/net_rules.h"

namespace faultline {
namespace {

// Written so that NaN is refused, too.
Status check_chance(double chance, std::string_view kind, std::string_view field) {
  if (chance > 0.0 && chance <= 1.0) return ok_status();
  return invalid_argument("{}: {} must be above 0 and at most 1", kind, field);
}

double in_bad(const v1::GilbertElliott& bursts) {
  return bursts.has_hit_in_bad() ? bursts.hit_in_bad() : 1.0;
}

Status check_bursts(const v1::GilbertElliott& bursts, std::string_view kind) {
  FL_RETURN_IF_ERROR(check_chance(bursts.enter_bad(), kind, "bursts: enter_bad"));
  FL_RETURN_IF_ERROR(check_chance(bursts.leave_bad(), kind, "bursts: leave_bad"));
  const auto is_share = [](double value) { return value >= 0.0 && value <= 1.0; };
  if (!is_share(in_bad(bursts))) {
    return invalid_argument("{}: bursts: hit_in_bad must be between 0 and 1", kind);
  }
  if (!is_share(bursts.hit_in_good())) {
    return invalid_argument("{}: bursts: hit_in_good must be between 0 and 1", kind);
  }
  if (in_bad(bursts) == 0.0 && bursts.hit_in_good() == 0.0) {
    return invalid_argument("{}: bursts that hit neither in the bad state nor in the good one", kind);
  }
  return ok_status();
}

std::string ordinal(std::uint64_t n) {
  const std::uint64_t tens = n / 10 % 10;
  const std::uint64_t ones = n % 10;
  const char* ending = "th";
  if (tens != 1 && ones == 1) ending = "st";
  if (tens != 1 && ones == 2) ending = "nd";
  if (tens != 1 && ones == 3) ending = "rd";
  return fmt::format("{}{}", n, ending);
}

}  // namespace

Status check_selection(const v1::Selection& selection, std::string_view kind) {
  switch (selection.how_case()) {
    case v1::Selection::kProbability:
      return check_chance(selection.probability(), kind, "probability");
    case v1::Selection::kEvery:
      if (selection.every() < 1) return invalid_argument("{}: every must be at least 1", kind);
      return ok_status();
    case v1::Selection::kFirst:
      if (selection.first() < 1) return invalid_argument("{}: first must be at least 1", kind);
      return ok_status();
    case v1::Selection::kBursts:
      return check_bursts(selection.bursts(), kind);
    case v1::Selection::HOW_NOT_SET:
      break;
  }
  return invalid_argument("{}: needs one of probability, every, first and bursts", kind);
}

fl_selection to_selection(const v1::Selection& selection) {
  fl_selection to{};
  to.how = FL_SELECT_BY_CHANCE;
  to.chance = dice_threshold(1.0);
  switch (selection.how_case()) {
    case v1::Selection::kProbability:
      to.chance = dice_threshold(selection.probability());
      break;
    case v1::Selection::kEvery:
      to.how = FL_SELECT_EVERY;
      to.n = selection.every();
      break;
    case v1::Selection::kFirst:
      to.how = FL_SELECT_FIRST;
      to.n = selection.first();
      break;
    case v1::Selection::kBursts:
      to.how = FL_SELECT_BURSTS;
      to.chance = dice_threshold(in_bad(selection.bursts()));
      to.chance_in_good = dice_threshold(selection.bursts().hit_in_good());
      to.enter_bad = dice_threshold(selection.bursts().enter_bad());
      to.leave_bad = dice_threshold(selection.bursts().leave_bad());
      break;
    case v1::Selection::HOW_NOT_SET:
      break;
  }
  return to;
}

std::string describe(const v1::Selection& selection) {
  switch (selection.how_case()) {
    case v1::Selection::kProbability:
      return fmt::format("{} % of them", selection.probability() * 100);
    case v1::Selection::kEvery:
      if (selection.every() == 1) return "each of them";
      return fmt::format("every {} of them", ordinal(selection.every()));
    case v1::Selection::kFirst:
      return fmt::format("the first {} of them", selection.first());
    case v1::Selection::kBursts: {
      const v1::GilbertElliott& bursts = selection.bursts();
      return fmt::format("bursts of them (begun with {} %, ended with {} %; {} % hit within, {} % outside)",
                         bursts.enter_bad() * 100, bursts.leave_bad() * 100, in_bad(bursts) * 100,
                         bursts.hit_in_good() * 100);
    }
    case v1::Selection::HOW_NOT_SET:
      break;
  }
  return "each of them";
}

}  // namespace faultline
