// The files of a static page (examples/shop), read once at the start: what is served is what was
// found then, so no path that a peer names is ever looked up on the disk.

#ifndef VITRINE_API_GATEWAY_SHOP_FILES_H_
#define VITRINE_API_GATEWAY_SHOP_FILES_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/gateway/http_message.h"

namespace vitrine {

class ShopFiles {
 public:
  ShopFiles() = default;

  // Every regular file under `directory`; symbolic links are passed over. NotFound if there is no
  // index.html in it, ResourceExhausted beyond limits::kShopFilesMax and kShopBytesMax.
  static absl::StatusOr<ShopFiles> Read(const std::string& directory);

  bool empty() const { return files_.empty(); }

  // The file at a path below the folder ("" is index.html); null if there is none.
  const HttpReply* Find(absl::string_view path) const;

 private:
  std::map<std::string, HttpReply, std::less<>> files_;
};

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_SHOP_FILES_H_
