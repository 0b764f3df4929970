#include "store/key_format.h"

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "store/codec.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

// On-disk bytes: a change here is a change of the format.
TEST(KeyFormat, AnEventKeyIsPersonThenComplementedTimeThenIdHash) {
  const std::string key = keys::EventKey(Person::Customer("42"), 1, "e1");
  ASSERT_EQ(key.size(), 4u + 16u);
  EXPECT_EQ(key.substr(0, 4), std::string("c42\0", 4));
  EXPECT_EQ(key.substr(4, 8), std::string("\x7f\xff\xff\xff\xff\xff\xff\xfe", 8));
  // printf e1 | xxhsum -H3
  EXPECT_EQ(ReadBigEndian(absl::string_view(key).substr(12)), 0x1f7e24023b50eaefULL);
}

TEST(KeyFormat, AnEventIdKeyIsTheFrontOfTheIdThenSixteenBytesOfHash) {
  const std::string key = keys::EventIdKey("e1");
  ASSERT_EQ(key.size(), keys::kEventIdKeyBytes);
  EXPECT_EQ(key.substr(0, 8), std::string("e1\0\0\0\0\0\0", 8));
  // printf e1 | xxhsum -H2
  EXPECT_EQ(ReadBigEndian(absl::string_view(key).substr(8)), 0x37115c6703754b2fULL);
  EXPECT_NE(key, keys::EventIdKey("e2"));
  EXPECT_EQ(keys::EventIdKey("ordered-1").substr(0, 8), "ordered-");
  // Ids that follow a count, or time, are written in their order.
  EXPECT_LT(keys::EventIdKey("00000009-z"), keys::EventIdKey("00000010-a"));
}

TEST(KeyFormat, AnExposureLiesAsAnEventOfItsPersonOrAmongNobodys) {
  Exposure shelf;
  shelf.id = "e1";
  shelf.time_ms = 1;
  const std::string tail = keys::EventKey(Person::Customer("42"), 1, "e1").substr(4);
  EXPECT_EQ(keys::ExposureKey(shelf), std::string("n\0", 2) + tail);
  shelf.__set_visitor_id("42");
  EXPECT_EQ(keys::ExposureKey(shelf), std::string("v42\0", 4) + tail);
  shelf.__set_customer_id("7");
  EXPECT_EQ(keys::ExposureKey(shelf), std::string("c7\0", 3) + tail);
  EXPECT_EQ(keys::ExposureIdKey("e1"), "i" + keys::EventIdKey("e1"));
}

TEST(KeyFormat, NewerEventsOfAPersonComeFirst) {
  const int64_t times[] = {std::numeric_limits<int64_t>::min(),
                           -1,
                           0,
                           1,
                           1'291'191'960'000,  // 2010
                           std::numeric_limits<int64_t>::max()};
  std::string later;
  for (const int64_t time : times) {
    const std::string key = keys::SessionKey(Person::Visitor("v"), time);
    if (!later.empty()) {
      EXPECT_LT(key, later);
    }
    later = key;
  }
}

TEST(KeyFormat, NoPersonsKeysStandAmongAnothers) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::vector<Person> persons;
  for (int i = 0; i < 200; ++i) {
    std::string id;
    for (int n = 1 + static_cast<int>(random() % 3); n > 0; --n) {
      id.push_back("ab \xc3\xa9z"[random() % 4]);
    }
    persons.push_back(random() % 2 == 0 ? Person::Customer(id) : Person::Visitor(id));
  }
  for (const Person& a : persons) {
    const std::string prefix = keys::PersonPrefix(a);
    for (const Person& b : persons) {
      const std::string key = keys::EventKey(b, static_cast<int64_t>(random()), "x");
      EXPECT_EQ(key.substr(0, prefix.size()) == prefix, a == b);
      EXPECT_EQ(keys::ParsePerson(key), b);
    }
  }
}

TEST(KeyFormat, ACustomerIdMakesTheEventTheCustomers) {
  Event event = testing::MakeEvent("e", "v:cookie", 1, EventKind::VIEW_ITEM);
  EXPECT_EQ(Person::Of(event), Person::Visitor("cookie"));
  event.__set_customer_id("c1");
  EXPECT_EQ(Person::Of(event), Person::Customer("c1"));
}

TEST(ValidId, RefusesWhatCannotStandInAKey) {
  EXPECT_OK(ValidId("x"));
  EXPECT_OK(ValidId("شناسه 7"));
  EXPECT_OK(ValidId(std::string(256, 'x')));
  EXPECT_FALSE(ValidId("").ok());
  EXPECT_FALSE(ValidId(std::string(257, 'x')).ok());
  EXPECT_FALSE(ValidId(absl::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(ValidId("a\nb").ok());
  EXPECT_FALSE(ValidId("a\xff").ok());
}

// Thrift counts the bytes of the numbers that a transport has read, and refuses to go on after 100
// MiB of "one message": on a busy thread, some million rows. These rows are mostly numbers.
TEST(DecodeRecord, GoesOnForAsLongAsThereAreRows) {
  Event event = testing::MakeEvent("e", "c", 1'300'000'000'000, EventKind::PURCHASE);
  Item item;
  item.product_id = "p";
  item.quantity = 1'000'000;
  item.__set_price_minor(1'000'000'000'000);
  event.__set_items(std::vector<Item>(200, item));
  const std::string row = EncodeRecord(event);
  Event read;
  for (int64_t numbers = 0; numbers < int64_t{120} << 20; numbers += 200 * 9) {
    ASSERT_EQ(DecodeRecord(row, &read), absl::OkStatus()) << numbers;
  }
  EXPECT_EQ(read, event);
}

TEST(BigEndian, ReadsWhatItWrote) {
  for (int shift = 0; shift < 64; ++shift) {
    for (const uint64_t delta : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      const uint64_t value = (uint64_t{1} << shift) + delta;
      std::string bytes;
      AppendBigEndian(&bytes, value);
      EXPECT_EQ(ReadBigEndian(bytes), value);
    }
  }
}

}  // namespace
}  // namespace vitrine
