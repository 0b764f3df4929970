// A program run as a user runs it: arguments in; exit code, stdout and stderr out.

#ifndef VITRINE_TESTS_TESTING_PROCESS_H_
#define VITRINE_TESTS_TESTING_PROCESS_H_

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "tests/testing/testing.h"

namespace vitrine::testing {

inline std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Outcome {
  int exit_code = -1;  // 128 + signal if a signal ended it
  std::string out;
  std::string err;
};

// A child process with its output in files; killed when destroyed, if it still runs.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const std::string out = dir_.File("out");
    const std::string err = dir_.File("err");
    pid_ = ::fork();
    if (pid_ != 0) return;
    Redirect(out, STDOUT_FILENO);
    Redirect(err, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ > 0) {
      Signal(SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal_number) const { ::kill(pid_, signal_number); }
  std::string OutSoFar() const { return FileText(dir_.File("out")); }

  Outcome Wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    Outcome outcome;
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status)
                                          : 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    outcome.out = FileText(dir_.File("out"));
    outcome.err = FileText(dir_.File("err"));
    return outcome;
  }

 private:
  static void Redirect(const std::string& path, int to) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(fd, to);
    ::close(fd);
  }

  TempDir dir_;
  pid_t pid_ = -1;
};

inline Outcome RunProgram(const std::vector<std::string>& arguments) {
  return Process(arguments).Wait();
}

// The `vitrine` binary under test, with these arguments.
inline std::vector<std::string> Vitrine(std::vector<std::string> arguments) {
  const char* binary = std::getenv("VITRINE_BIN");
  arguments.insert(arguments.begin(), binary != nullptr ? binary : "vitrine");
  return arguments;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_TESTING_PROCESS_H_
