// Files of the source tree that the program carries with it (embed.cmake).

#ifndef VITRINE_API_GATEWAY_EMBEDDED_H_
#define VITRINE_API_GATEWAY_EMBEDDED_H_

namespace vitrine {

extern const char kIdl[];  // api/vitrine.thrift, as the Thrift compiler's JSON generator says it
extern const char kOpenApi[];    // openapi.json; its schemas are filled in from kIdl
extern const char kVitrineJs[];  // vitrine.js

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_EMBEDDED_H_
