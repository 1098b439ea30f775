// The real faultline-agent, started as a process of its own and asked over its socket.
#pragma once

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "faultline/v1/agent.grpc.pb.h"

extern char** environ;

namespace faultline::testing {

class AgentProcess {
 public:
  explicit AgentProcess(const std::string& directory, const std::vector<std::string>& options = {}) {
    const std::string listen = "unix:" + directory + "/agent.sock";
    const std::string state = directory + "/state";
    std::vector<const char*> argv{FAULTLINE_AGENT, "--listen", listen.c_str(), "--state-dir", state.c_str()};
    for (const std::string& option : options) argv.push_back(option.c_str());
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, argv[0], nullptr, nullptr, const_cast<char**>(argv.data()), environ) != 0) {
      throw std::runtime_error("cannot start the agent");
    }
    // A name per agent: gRPC would share a channel, and its reconnect backoff, between agents on one socket.
    grpc::ChannelArguments arguments;
    arguments.SetInt("faultline.agent", pid_);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // a call to an agent that has died is over
    stub_ =
        v1::Agent::NewStub(grpc::CreateCustomChannel(listen, grpc::InsecureChannelCredentials(), arguments));
    v1::ListResponse ignored;
    if (!call(&v1::Agent::Stub::List, v1::ListRequest{}, ignored).ok())
      throw std::runtime_error("agent does not answer");
  }
  ~AgentProcess() {
    if (pid_ > 0) stop(SIGTERM);
  }
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  template <typename Request, typename Response>
  grpc::Status call(grpc::Status (v1::Agent::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return (stub_.get()->*method)(&context, request, &response);
  }

  // The same without waiting for the agent to be there: it fails at once when the agent dies.
  template <typename Request, typename Response>
  grpc::Status call_now(grpc::Status (v1::Agent::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                Response*),
                        const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return (stub_.get()->*method)(&context, request, &response);
  }

  pid_t pid() const { return pid_; }
  // Of the watchdog that the agent has now; -1: none.
  pid_t watchdog() const {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "stat");
      std::string pid, name, state;
      pid_t parent = 0;
      file >> pid >> name >> state >> parent;
      if (parent == pid_ && name == "(faultline-watch)" && state != "Z") return std::stoi(pid);
    }
    return -1;
  }

  void signal(int number) { ::kill(pid_, number); }
  // Sends the signal and waits for the end; the exit status as waitpid tells it.
  int stop(int number) {
    int status = 0;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, number);
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  std::unique_ptr<v1::Agent::Stub> stub_;
};

}  // namespace faultline::testing
