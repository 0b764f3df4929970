#include "api/service/wire_peek.h"

#include <string>

namespace vitrine {
namespace {

using apache::thrift::protocol::T_STOP;
using apache::thrift::protocol::T_STRUCT;
using apache::thrift::protocol::TProtocol;
using apache::thrift::protocol::TType;

// The places of the context in the arguments (vitrine.thrift).
constexpr int16_t kRequestField = 1;
constexpr int16_t kContextField = 1;

bool EnterStruct(int16_t id, TProtocol& in) {
  std::string name;
  in.readStructBegin(name);
  return EnterField(id, T_STRUCT, in);
}

}  // namespace

bool EnterField(int16_t wanted, TType wanted_type, TProtocol& in) {
  std::string name;
  TType type;
  int16_t id;
  while (true) {
    in.readFieldBegin(name, type, id);
    if (type == T_STOP) return false;
    if (id == wanted && type == wanted_type) return true;
    in.skip(type);
    in.readFieldEnd();
  }
}

bool EnterContext(TProtocol& arguments) {
  return EnterStruct(kRequestField, arguments) && EnterStruct(kContextField, arguments);
}

}  // namespace vitrine
