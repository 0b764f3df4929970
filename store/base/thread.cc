#include "store/base/thread.h"

#include <cstdint>
#include <exception>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace vitrine {
namespace {

#ifndef SCHED_FLAG_RESET_ON_FORK
constexpr uint64_t SCHED_FLAG_RESET_ON_FORK = 1;
#endif

constexpr uint64_t kSliceNs = 100'000;  // the least that the kernel takes

// struct sched_attr of the kernel's first version; glibc 2.36 has none.
struct SchedAttr {
  uint32_t size = sizeof(SchedAttr);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = SCHED_FLAG_RESET_ON_FORK;  // threads that RocksDB makes meanwhile are no such
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};
static_assert(sizeof(SchedAttr) == 48);

}  // namespace

void NameThread(const char* name) { pthread_setname_np(pthread_self(), name); }

void GiveWayToOthers() {
  static_cast<void>(setpriority(PRIO_PROCESS, 0, 10));  // Linux: of the calling thread only
}

void DoInBackground(const char* name, const std::function<void()>& work) {
  std::exception_ptr thrown;
  std::thread thread([&] {
    NameThread(name);
    GiveWayToOthers();
    try {
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

void RunSoonAfterWaking() {
  SchedAttr attributes;
  attributes.nice = getpriority(PRIO_PROCESS, 0);  // as it is; of this thread only
  attributes.runtime_ns = kSliceNs;
  // Refused or ignored, it is as before.
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace vitrine
