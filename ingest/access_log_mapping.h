// How a web server's log becomes our Events: the part of a mapping (ingest/mapping.h) that is for
// `format = "access_log"`; every key is explained in ingest/README.md.

#ifndef VITRINE_INGEST_ACCESS_LOG_MAPPING_H_
#define VITRINE_INGEST_ACCESS_LOG_MAPPING_H_

#include <string>
#include <vector>

#include "ingest/client_address.h"
#include "ingest/formats/access_log.h"
#include "ingest/url_rules.h"
#include "store/records_types.h"

namespace vitrine {

class TomlTable;

struct AccessLogMapping {
  // Which header names the client behind a proxy.
  enum class Forwarded { kNobody, kForwardedFor, kRealIp };

  LogFormatOptions log;
  Channel channel = Channel::WEB;
  std::string origin;              // "https://shop.example"; empty: as the log says, if it does
  std::vector<std::string> hosts;  // lines of other virtual hosts are ignored; empty: none are
  IpPrivacy ip = IpPrivacy::kTruncated;
  Forwarded forwarded = Forwarded::kNobody;
  std::vector<std::string> trusted_proxies;
  std::vector<std::string> assets;               // extensions, in small letters
  std::vector<std::string> health_checks;        // paths
  std::vector<std::string> health_check_agents;  // how their user agents begin
  std::vector<UrlRule> urls;

  AccessLogMapping();  // with the defaults of the lists
};

// Reads [access_log] and [[url]] of `root`; what is wrong goes to its error.
void ReadAccessLog(TomlTable* root, AccessLogMapping* mapping);

}  // namespace vitrine

#endif  // VITRINE_INGEST_ACCESS_LOG_MAPPING_H_
