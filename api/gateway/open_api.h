// The description of the API for programs: openapi.json with the schemas that the IDL gives.

#ifndef VITRINE_API_GATEWAY_OPEN_API_H_
#define VITRINE_API_GATEWAY_OPEN_API_H_

#include <string>

namespace vitrine {

// OpenAPI 3.0, as JSON. Made at the first call.
const std::string& OpenApiText();

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_OPEN_API_H_
