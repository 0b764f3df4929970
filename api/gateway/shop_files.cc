#include "api/gateway/shop_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

const char* ContentType(const fs::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".html") return "text/html; charset=utf-8";
  if (extension == ".css") return "text/css; charset=utf-8";
  if (extension == ".js") return "text/javascript; charset=utf-8";
  if (extension == ".json") return "application/json";
  if (extension == ".svg") return "image/svg+xml";
  if (extension == ".png") return "image/png";
  return "application/octet-stream";
}

// The page may ask whoever serves it, and nobody else.
constexpr char kPolicy[] =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'";

}  // namespace

absl::StatusOr<ShopFiles> ShopFiles::Read(const std::string& directory) {
  ShopFiles shop;
  size_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  if (error) return absl::NotFoundError(absl::StrCat(directory, ": ", error.message()));
  for (; entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error) return absl::UnavailableError(absl::StrCat(directory, ": ", error.message()));
    if (entry->is_symlink() || !entry->is_regular_file()) continue;
    std::ifstream file(entry->path(), std::ios::binary);
    HttpReply reply;
    reply.content_type = ContentType(entry->path());
    reply.headers = {{"Content-Security-Policy", kPolicy}, {"Cache-Control", "no-cache"}};
    bytes += static_cast<size_t>(entry->file_size());
    if (bytes > limits::kShopBytesMax || shop.files_.size() == limits::kShopFilesMax) {
      return absl::ResourceExhaustedError(absl::StrCat(directory, " holds more than a page"));
    }
    reply.body.assign(std::istreambuf_iterator<char>(file), {});
    shop.files_[fs::relative(entry->path(), directory).generic_string()] = std::move(reply);
  }
  if (shop.Find("") == nullptr) {
    return absl::NotFoundError(absl::StrCat(directory, " holds no index.html"));
  }
  return shop;
}

const HttpReply* ShopFiles::Find(absl::string_view path) const {
  const auto found = files_.find(std::string(path.empty() ? "index.html" : path));
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace vitrine
