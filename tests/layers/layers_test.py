#!/usr/bin/python3
"""Each forbidden thing, put into a small tree, is caught; what is allowed is not."""

import pathlib
import tempfile
import unittest

import layers


class Layers(unittest.TestCase):
    def problems(self, path, text):
        """What is wrong with a tree that holds this one file."""
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            return list(layers.problems(pathlib.Path(root)))

    def assert_caught(self, path, text, at_line=1):
        found = self.problems(path, text)
        self.assertEqual(len(found), 1, f"{path} with {text!r}: {found}")
        self.assertTrue(found[0].startswith(f"{path}:{at_line}: "), found[0])

    def assert_allowed(self, path, text):
        self.assertEqual(self.problems(path, text), [])

    def test_no_include_runs_upward_or_sideways(self):
        forbidden = {
            "store/base/clock.h": ["store/web_house.h", "store/records_types.h", "api/x.h"],
            "store/cursor.cc": ["ingest/mapping.h", "recommender/model/model.h", "api/service.h"],
            "ingest/importer.cc": ["recommender/evaluate.h", "experiments/bandit.h", "api/x.h",
                                   "recommender/model/model.h"],
            "recommender/evaluate.cc": ["ingest/mapping.h", "experiments/bandit.h", "api/x.h"],
            "experiments/bandit.cc": ["ingest/mapping.h", "recommender/rank/ranker.h", "api/x.h"],
            "recommender/learn/trainer.cc": ["recommender/rank/ranker.h", "recommender/evaluate.h"],
            "recommender/rank/ranker.cc": ["recommender/learn/trainer.h", "recommender/evaluate.h"],
            "recommender/model/model.cc": ["recommender/learn/trainer.h",
                                           "recommender/rank/ranker.h", "recommender/evaluate.h"],
        }
        for path, headers in forbidden.items():
            for header in headers:
                self.assert_caught(path, f'\n#include "{header}"\n', at_line=2)
                self.assert_caught(path, f"#  include <{header}>\n")

    def test_includes_downward_are_allowed(self):
        allowed = {
            "store/base/clock.cc": ["store/base/clock.h", "absl/time/time.h", "vector"],
            "store/cursor.h": ["store/base/check.h", "store/records_types.h", "rocksdb/db.h"],
            "ingest/importer.cc": ["ingest/mapping.h", "store/web_house.h", "store/base/report.h"],
            "recommender/evaluate.cc": ["recommender/learn/trainer.h", "recommender/rank/ranker.h"],
            "recommender/rank/ranker.cc": ["recommender/model/model.h", "store/web_house.h"],
            "api/service.cc": ["recommender/rank/ranker.h", "ingest/mapping.h", "store/cursor.h",
                               "experiments/bandit.h", "api/Storefront.h"],
            "tests/api/service_test.cc": ["api/service.h", "rocksdb/db.h", "gtest/gtest.h",
                                          "thrift/transport/TSocket.h"],
        }
        for path, headers in allowed.items():
            for header in headers:
                self.assert_allowed(path, f'#include "{header}"\n')

    def test_product_code_knows_no_tests(self):
        for header in ("tests/store/fake.h", "benchmarks/data.h", "gtest/gtest.h"):
            self.assert_caught("api/service.cc", f'#include "{header}"\n')

    def test_only_the_store_knows_rocksdb(self):
        for path in ("store/base/check.cc", "ingest/importer.cc", "api/service.cc"):
            self.assert_caught(path, '#include "rocksdb/db.h"\n')

    def test_sockets_stay_at_the_edge(self):
        for header in ("thrift/server/TServer.h", "thrift/transport/TBufferTransports.h"):
            line = f'#include "{header}"\n'
            for path in ("api/service.cc", "api/cli/serve.cc", "store/web_house.cc"):
                self.assert_caught(path, line)
            for path in ("api/server/server.cc", "api/client/client.cc", "store/codec.cc"):
                self.assert_allowed(path, line)
        self.assert_allowed("api/service.h", '#include "thrift/TProcessor.h"\n')

    def test_style_that_a_machine_can_see(self):
        self.assert_caught("tests/store/a_test.cc", "\nassert(x);\n", at_line=2)
        self.assert_caught("store/a.cc", "std::cout << 1;\n")
        self.assert_caught("benchmarks/a.cc", "int x = rand();\n")
        self.assert_caught("store/a.cc", "std::random_device device;\n")
        self.assert_caught("store/a.cc", "std::chrono::system_clock::now();\n")
        self.assert_caught("api/a.cc", "absl::Now();\n")
        self.assert_caught("api/a.h", "using namespace std;\n")
        self.assert_caught("api/a.cc", "// TODO: later\n")
        self.assert_caught("api/a.cc", "\n" * 601, at_line=601)

    def test_style_leaves_good_code_alone(self):
        self.assert_allowed("store/a.cc", "static_assert(sizeof(int) == 4);\nint grand(int);\n")
        self.assert_allowed("store/a.cc", "using namespace std;\n// TODO(owner): later\n")
        self.assert_allowed("api/cli/main.cc", "std::cout << 1;\n")
        self.assert_allowed("store/base/clock.cc", "std::chrono::system_clock::now();\n")
        self.assert_allowed("tests/store/a_test.cc", "unsigned seed = std::random_device{}();\n")
        self.assert_allowed("store/a.cc", "\n" * 600)

    def test_comments_and_strings_are_not_code(self):
        self.assert_allowed("store/a.cc", '// no "assert( here\n/* rand()\nsystem_clock */ int x;\n')
        self.assert_allowed("store/a.cc", 'auto s = "\\"assert(" R"(rand() "assert()" )";\n')
        # Neither a ' between digits nor a quoted quote starts a string that swallows code.
        self.assert_caught("store/a.cc", "int n = 1'000;\nchar c = '\"'; assert(n);\n", at_line=2)


if __name__ == "__main__":
    unittest.main()
