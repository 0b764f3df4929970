// What a thread is to the kernel: its name, and how soon it runs after it wakes up.

#ifndef VITRINE_STORE_BASE_THREAD_H_
#define VITRINE_STORE_BASE_THREAD_H_

#include <functional>

namespace vitrine {

// Names the calling thread for top -H and debuggers. At most 15 bytes.
void NameThread(const char* name);

// For a thread that works in short pieces and that somebody waits for. Once awake it runs before a
// thread that computes, instead of behind the rest of that one's time slice (some 3 ms), and lets
// the next of its kind run after a tenth of a millisecond. It gets no larger share of the
// processor. Linux 6.12 and later (sched_setattr(2), sched_runtime of SCHED_OTHER); elsewhere
// nothing changes.
void RunSoonAfterWaking();

// For a thread that nobody waits for: the others get ten times its share of the processor (nice
// 10), and need not wait for the end of its time slice.
void GiveWayToOthers();

// Does the work on a thread of its own that gives way to others, as all threads do that it makes,
// and returns when it is done. What the work throws is thrown here. For work in a thread that must
// not give way afterwards: a process without privileges cannot take that back.
void DoInBackground(const char* name, const std::function<void()>& work);

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_THREAD_H_
