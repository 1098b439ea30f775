// gRPC and Abseil come from the distribution, not instrumented: the thread sanitizer does not see how they
// synchronise, and reports races in what passes through them. Linked into the tests that use them; what has
// threads of ours is tested without gRPC.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "race:libgpr\n"
         "race:libgrpc\n"
         "race:libabsl\n"
         "race:grpc::\n"
         "race:grpc_event_engine::\n";
}
