#include "agent/kernel/graded_netem.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>

#include "agent/kernel/jitter_grades.h"
#include "agent/kernel/netem.h"
#include "agent/kernel/tc_message.h"
#include "agent/kernel/tree_filter.h"
#include "bpf/abi/jitter_grade.h"
#include "jitter_grade.skel.h"

namespace faultline {
namespace {

static_assert(FL_JITTER_GRADES == kJitterGrades && FL_JITTER_ENTRIES == kJitterTableSize);

// Dice of their own: those of the fault choose which packets it is for.
constexpr std::uint64_t kDice = 0x6a69747465720000;
constexpr std::uint32_t kOnlyFilter = 1;

using Program = std::unique_ptr<jitter_grade, decltype(&jitter_grade__destroy)>;

StatusOr<Program> load_program(const NetemParams& params) {
  Program program(jitter_grade__open(), &jitter_grade__destroy);
  if (!program) return errno_status(errno, "open BPF program jitter_grade");
  const JitterGrades& cut = JitterGrades::of(params.shape);
  fl_jitter_grades& grades = program->rodata->grades;
  grades.seed = params.seed ^ kDice;
  grades.keep = static_cast<std::uint64_t>(std::llround(std::ldexp(cut.keeping(params.correlation), 32)));
  std::copy(cut.ends().begin(), cut.ends().end(), grades.ends);
  if (const int error = jitter_grade__load(program.get()); error != 0) {
    return errno_status(-error, "load BPF program jitter_grade");
  }
  return program;
}

Status add_chooser(NetlinkSocket& socket, int ifindex, std::uint32_t band) {
  tcmsg place{};
  place.tcm_ifindex = ifindex;
  place.tcm_parent = kTreeHandle | band;
  place.tcm_handle = band_handle(band);
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, place));
  tc_prio_qopt options{};
  options.bands = kJitterGrades;
  // Nothing gets there by the map: the program chooses for every packet.
  std::fill(std::begin(options.priomap), std::end(options.priomap), kJitterGrades / 2);
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, "prio"));
  FL_RETURN_IF_ERROR(put_value(msg, TCA_OPTIONS, options));
  return socket.request(std::move(msg));
}

Status add_grade(NetlinkSocket& socket, int ifindex, std::uint32_t band, std::uint32_t grade,
                 const NetemParams& params) {
  tcmsg place{};
  place.tcm_ifindex = ifindex;
  place.tcm_parent = band_handle(band) | (grade + 1);
  place.tcm_handle = grade_handle(band, grade);
  FL_ASSIGN_OR_RETURN(NlMsg msg,
                      tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, place, sizeof(JitterTable) + 1024));
  NetemParams one = params;
  one.seed = params.seed + grade;
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, "netem"));
  FL_RETURN_IF_ERROR(put_nested(
      msg, TCA_OPTIONS, [&] { return put_netem(msg, one, JitterGrades::of(params.shape).entries(grade)); }));
  return socket.request(std::move(msg));
}

Status add_inside(NetlinkSocket& socket, int ifindex, std::uint32_t band, const NetemParams& params) {
  for (std::uint32_t grade = 0; grade < kJitterGrades; ++grade) {
    FL_RETURN_IF_ERROR(annotate(add_grade(socket, ifindex, band, grade, params), "add qdisc netem"));
  }
  FL_ASSIGN_OR_RETURN(const Program program, load_program(params));
  // The filter holds the program from here on.
  return add_tree_filter(socket, ifindex, kOnlyFilter, bpf_program__fd(program->progs.fl_jitter_grade),
                         "faultline", band_handle(band));
}

}  // namespace

bool is_grade(const Qdisc& qdisc) {
  for (std::uint32_t band = kFirstBand; band <= kLastBand; ++band) {
    const std::uint32_t grade = (qdisc.parent & 0xffffu) - 1;
    if ((qdisc.parent & 0xffff0000u) == band_handle(band) && grade < kJitterGrades) {
      return qdisc.handle == grade_handle(band, grade) && qdisc.kind == "netem";
    }
  }
  return false;
}

Status add_graded_netem(NetlinkSocket& socket, int ifindex, std::uint32_t band, const NetemParams& params) {
  FL_RETURN_IF_ERROR(add_chooser(socket, ifindex, band));
  const Status inside = add_inside(socket, ifindex, band, params);
  if (!inside.ok()) {
    // With all that is in it. Should that fail, too, the caller finds the band still there.
    (void)remove_band_qdisc(socket, ifindex, band);
  }
  return inside;
}

}  // namespace faultline
