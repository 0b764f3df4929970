#pragma once
#include <cstddef>
#include <cstdint>
namespace vitrine::limits {
constexpr size_t kEvaluatedActionsMax = 100'000'000;  // of plain files, in memory
constexpr size_t kEvaluatedCasesMax = 1'000'000;      // lists made by each method
constexpr uint32_t kResamplesMax = 100'000;
}  // namespace vitrine::limits
