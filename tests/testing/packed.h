// Bytes as gzip and zstd pack them.

#ifndef VITRINE_TESTS_TESTING_PACKED_H_
#define VITRINE_TESTS_TESTING_PACKED_H_

#include <gtest/gtest.h>
#include <string>
#include <zlib.h>
#include <zstd.h>

namespace vitrine::testing {

inline std::string Gzip(const std::string& bytes) {
  z_stream stream = {};
  constexpr int kGzipHeader = 16;
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + kGzipHeader, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string packed(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

inline std::string Zstd(const std::string& bytes) {
  std::string packed(::ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(
      ::ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), /*level=*/3));
  return packed;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_TESTING_PACKED_H_
