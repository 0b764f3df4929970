// What every floor hands up when it has something to tell a person: tables, plots of them and
// notes, without a word about how they look. api/render alone turns a Report into terminal text,
// JSON or a page, in the reader's language.
//
// What is to be translated is a Message or has a name: the catalogue (api/render/messages.h) knows
// "table.<name>" and "column.<name>" for the tables and columns that it translates.

#ifndef VITRINE_STORE_BASE_REPORT_H_
#define VITRINE_STORE_BASE_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine {

struct Report {
  // A text of the catalogue that takes no arguments.
  struct Key {
    std::string key;

    bool operator==(const Key&) const = default;
  };

  // A text of the catalogue by its key, and what goes into its {0}, {1}, ... (a text that is a day
  // like 2024-01-31 is shown in the reader's calendar).
  struct Message {
    using Argument = std::variant<std::string, int64_t, double, Key>;

    std::string key;
    std::vector<Argument> arguments = {};

    bool operator==(const Message&) const = default;
  };

  using Text = std::variant<std::string, Message>;  // data as they are, or words of ours

  // Several texts in one cell: the steps of a path in their order, or the members of a set.
  struct Parts {
    std::vector<Text> parts;
    bool ordered = true;

    bool operator==(const Parts&) const = default;
  };

  // A number, and where it lies with 95 % confidence. A program gets three: "x", "x_low", "x_high".
  struct Estimate {
    double value = 0;
    double low = 0;
    double high = 0;

    bool operator==(const Estimate&) const = default;
  };

  // Text stands left, numbers right.
  using Cell = std::variant<std::string, int64_t, double, Message, Parts, Estimate>;

  enum class Unit {
    kPlain,
    kShare,  // a double from 0 to 1, shown as per cent
    kDay,    // a text like 2024-01-31, shown in the reader's calendar
  };

  struct Column {
    // A key for JSON, and the head where the catalogue has none; it knows "x@20" as "x", cut at 20.
    std::string name;
    int decimals = 0;  // digits after the point of a double
    Unit unit = Unit::kPlain;
  };

  struct Table {
    std::string name;   // a key for JSON: lower_case_with_underscores
    std::string title;  // a heading where the catalogue has none
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;  // each as long as `columns`
  };

  // A picture of a table, where there can be one.
  struct Plot {
    enum class Kind {
      kBars,    // a bar a row: its label and one value
      kLine,    // a line through the rows in their order: label, one value
      kGraph,   // an arrow a row: where from, where to, how much
      kDots,    // a dot a row with whiskers: its label, an Estimate
      kCurves,  // the rows in their order: label, and for each curve a column of Estimates
    };
    Kind kind = Kind::kBars;
    std::string table;                 // its name
    std::vector<std::string> columns;  // names, as the kind lists them
  };

  std::vector<Message> summary;  // what it comes to, in words: the first thing on a page
  std::vector<Table> tables;
  std::vector<Plot> plots;
  std::vector<std::string> notes;  // as they are
  std::vector<Message> messages;   // notes that are translated
};

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_REPORT_H_
