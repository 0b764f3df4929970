// Every limit by name, in one place. What grows with input has its bound here.

#ifndef VITRINE_STORE_BASE_LIMITS_H_
#define VITRINE_STORE_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace vitrine::limits {

// --- Records ---
constexpr size_t kIdBytesMax = 256;        // customer, visitor, product, order and event ids
constexpr size_t kTextBytesMax = 2048;     // names, URLs, search terms, user agents
constexpr size_t kItemsPerEventMax = 200;  // GA4's own limit
constexpr size_t kGrantsPerEventMax = 32;  // offers that an order uses
constexpr double kBestRatingMax = 1000;    // "5 stars", "10 of 10", "100 points"
constexpr int32_t kQuantityMax = 1'000'000;
constexpr int32_t kCustomersPerVisitorMax = 1000;  // that a site may set
constexpr int64_t kTimeMsMin = 631'152'000'000;    // 1990-01-01
constexpr int64_t kTimeMsMax = 4'102'444'800'000;  // 2100-01-01
constexpr int32_t kStockMax = 1'000'000'000;
constexpr size_t kAttributesMax = 100;                 // of a product or customer
constexpr size_t kCatalogueProductsMax = 10'000'000;   // that one replacement may name
constexpr int64_t kPriceMinorMax = 1'000'000'000'000;  // of one unit, in minor units

// --- Ingest ---
constexpr size_t kLineBytesMax = 1 << 20;    // a longer line is rejected, never buffered whole
constexpr size_t kRejectRawBytesMax = 4096;  // of a rejected line that are kept to look at
constexpr int32_t kRejectPageMax = 1000;     // rejects in one answer
constexpr size_t kBatchEventsMax = 16'384;   // in one write to the store
constexpr size_t kConfigBytesMax = 1 << 20;
constexpr size_t kHostsMax = 64;                // of one shop
constexpr size_t kJsonDepthMax = 64;            // objects and lists within one another
constexpr size_t kElementsPerLineMax = 10'000;  // of a batch that stands on one line

// Of an event that is told now: a clock may be a little wrong, not more.
constexpr int64_t kEventFutureMsMax = int64_t{10} * 60 * 1000;
constexpr int64_t kTrackAgeMsMax = int64_t{3653} * 24 * 60 * 60 * 1000;  // ten years
constexpr int64_t kMaxAgeDays = 36'525;                                  // that a mapping may name

// --- Robots ---
constexpr size_t kRobotListsMax = 16;            // files of user agents
constexpr size_t kRobotListBytesMax = 16 << 20;  // of one of them
constexpr size_t kUserAgentsCachedMax = 32'768;  // verdicts that one thread keeps at hand
// What no person does. A page is an event with a URL that looks at something.
constexpr int64_t kRobotRateWindowMs = 60'000;
constexpr size_t kRobotRatePagesMin = 120;     // pages within the window
constexpr size_t kRobotSessionPagesMin = 500;  // pages of one session
constexpr size_t kRobotBlindPagesMin = 50;     // pages without one referrer

// --- Disk ---
// Writing stops when less is free than this part of the disk, or this many bytes if that is less.
constexpr int64_t kDiskFreeShare = 20;
constexpr int64_t kDiskFreeBytesMin = int64_t{1} << 30;
constexpr size_t kDbLogBytesMax = 1 << 20;  // of RocksDB's own log, then it is begun anew

// --- Trust ---
constexpr size_t kVerifyBytesMax = 256
                                   << 20;  // of digests held at once; more rows take more passes
constexpr size_t kFindingsMax = 10'000;    // that are named; the rest is only counted

// --- Store ---
constexpr size_t kTableFilesDefault = 4096;        // open at once, of all sites of a process
constexpr size_t kSiteDescriptors = 8;             // of a site, beside its table files
constexpr size_t kTableFilesFloor = 256;           // where the system grants few descriptors
constexpr size_t kManifestBytesMax = 64 << 20;     // of one backup
constexpr size_t kErasedListBytesMax = 256 << 20;  // of one folder of backups: 4 million persons
// What a small site costs a server, beyond what all share (tests/api/many_sites_test.cc).
constexpr size_t kSmallSiteBytesMax = 3 << 20;  // resident
constexpr size_t kSmallSiteDescriptorsMax = 32;

// --- History ---
constexpr size_t kHistoryEventsMax = 1000;  // newest events of a customer that ranking reads

constexpr size_t kVisitorsReadMax = 256;  // devices of a customer that ranking looks at

constexpr int32_t kTrainEveryHoursMax = 24 * 366;
constexpr int32_t kModelsKeptMax = 100;

constexpr size_t kProfilesCachedMax = 100'000;  // folded-in customers that a site keeps at hand

// --- Model ---
constexpr uint32_t kFactorsMax = 1024;
constexpr uint32_t kEpochsMax = 1000;
constexpr uint32_t kCgStepsMax = 100;
constexpr uint32_t kThreadsMax = 1024;  // of one training
constexpr uint64_t kModelBytesMax = uint64_t{64} << 30;

// --- Sessions that ranking learns from ---
constexpr size_t kIndexedSessionsMax = 200'000'000;  // in one index
constexpr size_t kIndexedClicksMax = 2'000'000'000;  // of all of them
constexpr size_t kVisitsGoingOnMax = 200'000;       // that a site watches, to learn from them later
constexpr size_t kSessionClicksMax = 250;           // of one session: the newest count
constexpr size_t kSessionsPerProductMax = 1 << 16;  // that a product remembers
constexpr size_t kQueryProductsMax = 32;            // different products a list is made from
constexpr size_t kNeighboursMax = 100'000;          // sessions that one list is made from
constexpr size_t kBlendSourcesMax = 16;

// --- Evaluation ---
constexpr size_t kEvaluatedActionsMax = 100'000'000;  // of plain files, in memory
constexpr size_t kEvaluatedCasesMax = 1'000'000;      // lists made by each method
constexpr uint32_t kResamplesMax = 100'000;

// --- Mining ---
constexpr size_t kPatternsMax = 50'000;          // that one search may find
constexpr size_t kPatternLengthMax = 10;         // items in one
constexpr size_t kMinedKeysMax = 50'000;         // pages, paths, search terms counted exactly
constexpr size_t kMinedItemsMax = 20'000'000;    // in the baskets, and in the sequences, held
constexpr size_t kMinedVisitEventsMax = 20'000;  // of one visit that are looked at
constexpr size_t kMinedRowsMax = 1000;           // of one table

// --- Customers ---
constexpr size_t kFittedCustomersMin = 30;         // who bought again, before a model is fitted
constexpr size_t kValuedCustomersMax = 5'000'000;  // in one report, in memory
constexpr int32_t kHorizonDaysMax = 3653;          // that is looked ahead: ten years
constexpr size_t kCohortsMax = 120;                // months of one table, the newest

// --- Reports of what was shown ---
constexpr size_t kReportGroupsMax = 100'000;      // rows of one
constexpr size_t kCreditedEventsMax = 1'000'000;  // of one person, the newest, that earn credit

// --- Experiments ---
constexpr size_t kExperimentsMax = 1000;           // of a site
constexpr size_t kExperimentArmsMax = 16;          // of one experiment
constexpr size_t kExperimentMetricsMax = 8;        // each once
constexpr size_t kExperimentEventMetricsMax = 20;  // of one experiment
constexpr size_t kExperimentCutsMax = 12;          // values of one dimension; the others are one
constexpr size_t kExperimentDaysMax = 400;         // of a report's curves, the newest
constexpr size_t kOutcomesKeptMax = 4;             // experiments whose units a site remembers
constexpr size_t kOutcomesChangedMax = 200'000;    // units to count again; beyond, all are
constexpr size_t kExperimentParametersMax = 100;   // of one arm
constexpr int64_t kPlannedUnitsMax = 1'000'000'000'000;
constexpr int32_t kDaysBeforeMax = 365;
constexpr size_t kAudienceConditionsMax = 20;   // of one experiment
constexpr size_t kContextAttributesMax = 50;    // of one request, of kIdBytesMax each
constexpr size_t kTrialModelsMax = 3;           // of a site, beside the one that answers
constexpr int32_t kBatchMinutesMax = 7 * 1440;  // of a bandit
constexpr int32_t kForcedHoursMax = 720;

// --- Contacts and offers ---
constexpr size_t kPurposeRulesMax = 100;  // of a site
constexpr size_t kContactRulesMax = 32;   // windows, caps, pauses of one list
constexpr int32_t kContactsPerCapMax = 10'000;
constexpr int32_t kCapHoursMax = 24 * 366;
constexpr int32_t kHoldDaysMax = 366;
constexpr int32_t kConsentDaysMax = 3660;
constexpr int32_t kContactPriorityMax = 100;
constexpr size_t kOfferListMax = 1000;  // segments, products and so on of one list
constexpr size_t kBundleProductsMax = 20;
constexpr int64_t kOfferUsesMax = 1'000'000'000'000;

// --- Ledger ---
constexpr int64_t kLedgerAmountMax = 1'000'000'000'000'000;      // of a limit, a balance, an entry
constexpr size_t kReservationEntriesMax = 64;                    // accounts of one reservation
constexpr int64_t kReservationMsMax = int64_t{31} * 86'400'000;  // until it lapses
// One that was given back is remembered for so long, so that a retry of it is known.
constexpr int64_t kClosedReservationMs = int64_t{7} * 86'400'000;
constexpr size_t kLapsedPerWrite = 256;

// --- Server ---
constexpr int32_t kFrameBytesMax = 1 << 20;             // storefront port
constexpr int32_t kBackofficeFrameBytesMax = 64 << 20;  // back-office port: import batches
constexpr int32_t kWireStringBytesMax = 64 << 10;
constexpr int32_t kWireContainerMax = 1000;
constexpr int32_t kWireElementBytesMin = 16;  // per list or map entry, of the largest frame
constexpr size_t kConnectionsMax = 1024;
constexpr size_t kDescriptorsReserved = 256;          // for files, when connections take the rest
constexpr size_t kIdleBufferBytesMax = 64 << 10;      // that an idle connection may hold on to
constexpr int32_t kSuggestionsMax = 200;              // k of one request
constexpr size_t kShelvesMax = 16;                    // of one page
constexpr size_t kTraceMax = 1000;                    // steps in one reply
constexpr size_t kPlacementIdBytesMax = 64;           // of placements and rules
constexpr size_t kPlacementsMax = 200;                // of a site
constexpr size_t kRulesMax = 500;                     // of a placement, and of the site
constexpr size_t kRuleConditionsMax = 16;             // of one rule
constexpr size_t kRecipeSourcesMax = 16;              // of one placement
constexpr size_t kPlacementVersionsKept = 1000;       // of a site: older ones go
constexpr size_t kAssortmentProductsMax = 2'000'000;  // in a catalogue that is looked at as a whole
constexpr size_t kTrackEventsMax = 500;               // events of one track call
constexpr size_t kApiKeysMax = 1000;                  // of a site
constexpr size_t kApiKeyBytesMax = 128;               // that a peer may show
constexpr size_t kApiKeyCommentBytesMax = 256;
constexpr int32_t kApiKeyPerSecondMax = 1'000'000;
// Calls that wait for the disk (track), behind the event loops; each site has a queue of its own.
constexpr size_t kQueueThreads = 8;           // sites whose calls are done at once
constexpr size_t kWaitingPerSiteMax = 128;    // one more is refused: Overloaded
constexpr size_t kCallsPerTurnMax = 64;       // of one site, made durable by one sync
constexpr int32_t kRetryAfterMsMax = 10'000;  // that a refusal names
constexpr int32_t kDeadlineMsDefault = 100;
constexpr int32_t kDeadlineMsMax = 10'000;

// --- HTTP gateway ---
constexpr size_t kHttpHeaderBytesMax = 16 << 10;  // request line and headers
constexpr size_t kHttpBodyBytesMax = 1 << 20;
// Of a connection, read ahead of the request that is answered: what a peer pipelines beyond waits
// in the kernel.
constexpr size_t kHttpReadAheadBytesMax = 64 << 10;
constexpr size_t kHttpConnectionsMax = 1024;
constexpr size_t kHttpQueryFieldsMax = 100;
constexpr size_t kHttpWaitingMax = 256;     // requests behind each of the two pools of threads
constexpr size_t kMetricSitesMax = 1000;    // that /metrics tells of, by name
constexpr size_t kMetricOutcomesMax = 100;  // of a site's events; the rest is "other"
constexpr size_t kMetricMethodsMax = 64;    // of a server; the rest is "other"
constexpr size_t kShopFilesMax = 1000;      // of a page that is served beside the API
constexpr size_t kShopBytesMax = 16 << 20;

static_assert(kTrackEventsMax <= kBatchEventsMax);
static_assert(kTrackEventsMax <= static_cast<size_t>(kWireContainerMax));
static_assert(kTextBytesMax <= static_cast<size_t>(kWireStringBytesMax));

}  // namespace vitrine::limits

#endif  // VITRINE_STORE_BASE_LIMITS_H_
