// A bell that one thread rings and another hears in poll() or epoll.

#ifndef VITRINE_API_SERVER_EVENT_FD_H_
#define VITRINE_API_SERVER_EVENT_FD_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include "store/base/check.h"

namespace vitrine {

// Thread-safe.
class EventFd {
 public:
  // kOnce: rings between two calls of Hear are heard as one. kEach: each is heard by itself.
  enum Mode { kOnce = 0, kEach = EFD_SEMAPHORE };

  explicit EventFd(Mode mode) : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | mode)) {
    CHECK(fd_ >= 0) << "eventfd: no descriptors left at start";
  }
  ~EventFd() { ::close(fd_); }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  int fd() const { return fd_; }
  void Ring() { eventfd_write(fd_, 1); }
  // True if there was a ring.
  bool Hear() {
    eventfd_t rings;
    return eventfd_read(fd_, &rings) == 0;
  }

 private:
  const int fd_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_EVENT_FD_H_
