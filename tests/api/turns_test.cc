#include "api/server/turns.h"

#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace vitrine {
namespace {

using Limits = Turns<int>::Limits;

void AddMany(Turns<int>* turns, const std::string& key, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    int job = i;
    ASSERT_TRUE(turns->Add(key, std::move(job)));
  }
}

TEST(Turns, OneKeyIsServedInTheOrderOfArrivalInBatches) {
  Turns<int> turns({.waiting_max = 10, .running_max = 1, .batch_max = 3});
  AddMany(&turns, "a", 0, 5);
  EXPECT_EQ(turns.Next().jobs, (std::vector<int>{0, 1, 2}));
  turns.Done("a");
  EXPECT_EQ(turns.Next().jobs, (std::vector<int>{3, 4}));
  turns.Done("a");
  EXPECT_FALSE(turns.HasNext());
}

TEST(Turns, AFloodHoldsAnotherKeyUpByOneBatchAtMost) {
  Turns<int> turns({.waiting_max = 1000, .running_max = 1, .batch_max = 10});
  AddMany(&turns, "flood", 0, 1000);
  EXPECT_EQ(turns.Next().key, "flood");
  turns.Done("flood");
  AddMany(&turns, "quiet", 0, 1);
  EXPECT_EQ(turns.Next().key, "flood");  // listed before
  EXPECT_EQ(turns.Next().key, "quiet");
}

TEST(Turns, AKeyHasNoMoreBatchesOutThanItMay) {
  Turns<int> turns({.waiting_max = 10, .running_max = 2, .batch_max = 1});
  AddMany(&turns, "a", 0, 3);
  turns.Next();
  turns.Next();
  EXPECT_FALSE(turns.HasNext());
  AddMany(&turns, "b", 0, 1);
  EXPECT_EQ(turns.Next().key, "b");
  turns.Done("a");
  EXPECT_EQ(turns.Next().jobs, std::vector<int>{2});
}

TEST(Turns, AHeavyKeyHasTurnsOfItsOwnUntilItIsLightAgain) {
  Turns<int> turns({.waiting_max = 10, .running_max = 1, .batch_max = 1});
  AddMany(&turns, "a", 0, 4);
  turns.Next();
  turns.Done("a", /*heavy=*/true);
  EXPECT_FALSE(turns.HasNext());
  ASSERT_TRUE(turns.HasNext(/*heavy=*/true));
  EXPECT_EQ(turns.Next(/*heavy=*/true).jobs, std::vector<int>{1});
  turns.Done("a", /*heavy=*/false);
  EXPECT_FALSE(turns.HasNext(/*heavy=*/true));
  EXPECT_EQ(turns.Next().jobs, std::vector<int>{2});
}

TEST(Turns, AFullQueueRefusesItsOwnKeyOnly) {
  Turns<int> turns({.waiting_max = 2, .running_max = 1, .batch_max = 1});
  AddMany(&turns, "a", 0, 2);
  int job = 7;
  EXPECT_FALSE(turns.Add("a", std::move(job)));
  AddMany(&turns, "b", 0, 1);
  turns.Next();  // one of a's is out: there is room again
  AddMany(&turns, "a", 2, 1);
}

// The same rules in the plainest words: which keys may run, and what each gets.
struct PlainTurns {
  std::map<std::string, std::deque<int>> waiting;
  std::map<std::string, size_t> running;
  Limits limits;

  bool Add(const std::string& key, int job) {
    if (waiting[key].size() >= limits.waiting_max) return false;
    waiting[key].push_back(job);
    return true;
  }
  std::set<std::string> MayRun() {
    std::set<std::string> keys;
    for (const auto& [key, jobs] : waiting) {
      if (!jobs.empty() && running[key] < limits.running_max) keys.insert(key);
    }
    return keys;
  }
  std::vector<int> Take(const std::string& key) {
    std::vector<int> jobs;
    while (!waiting[key].empty() && jobs.size() < limits.batch_max) {
      jobs.push_back(waiting[key].front());
      waiting[key].pop_front();
    }
    ++running[key];
    return jobs;
  }
};

TEST(Turns, WhateverComesItDoesWhatThePlainOneDoesAndNobodyWaitsForLong) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  for (int run = 0; run < 200; ++run) {
    const Limits limits = {1 + random() % 5, 1 + random() % 3, 1 + random() % 4};
    Turns<int> turns(limits);
    PlainTurns plain{{}, {}, limits};
    std::map<std::string, size_t> passed_over;  // turns of others while it might run
    for (int step = 0; step < 300; ++step) {
      const std::string key(1, static_cast<char>('a' + random() % 4));
      const uint64_t what = random() % 3;
      if (what == 0) {
        int job = step;
        ASSERT_EQ(turns.Add(key, std::move(job)), plain.Add(key, step));
      } else if (what == 1 && plain.running[key] > 0) {
        turns.Done(key);
        --plain.running[key];
      } else if (what == 2) {
        const std::set<std::string> may_run = plain.MayRun();
        ASSERT_EQ(turns.HasNext(), !may_run.empty());
        if (may_run.empty()) continue;
        const auto batch = turns.Next();
        ASSERT_TRUE(may_run.contains(batch.key));
        ASSERT_EQ(batch.jobs, plain.Take(batch.key));
        for (const std::string& other : may_run) {
          passed_over[other] = other == batch.key ? 0 : passed_over[other] + 1;
          ASSERT_LE(passed_over[other], 3u) << "each of the other keys once";
        }
      }
    }
  }
}

}  // namespace
}  // namespace vitrine
