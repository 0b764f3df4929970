// CHECK: a programmer's error stops the process, in release builds too.
//
//   CHECK(begin <= end) << "begin=" << begin << " end=" << end;
//
// Never on anything a user, a file or a peer can cause (return a Status there), and never with a
// side effect in the condition. DCHECK is for hot loops and vanishes with NDEBUG.

#ifndef VITRINE_STORE_BASE_CHECK_H_
#define VITRINE_STORE_BASE_CHECK_H_

#include <sstream>

namespace vitrine::internal {

// Collects the message and aborts when destroyed, after writing it to stderr.
class CheckFailure {
 public:
  CheckFailure(const char* condition, const char* file, int line);
  [[noreturn]] ~CheckFailure();
  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Lowers the precedence of << below ?: so that CHECK is one expression.
struct Voidify {
  void operator&(std::ostream&) const {}
};

}  // namespace vitrine::internal

#define CHECK(condition)                         \
  (condition) ? static_cast<void>(0)             \
              : ::vitrine::internal::Voidify() & \
                    ::vitrine::internal::CheckFailure(#condition, __FILE__, __LINE__).stream()

#ifdef NDEBUG
#define DCHECK(condition) CHECK(true || (condition))
#else
#define DCHECK(condition) CHECK(condition)
#endif

#endif  // VITRINE_STORE_BASE_CHECK_H_
