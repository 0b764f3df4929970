// The heads of tables' columns, in each language. Internal to render: FindMessage knows them.

#ifndef VITRINE_API_RENDER_COLUMN_MESSAGES_H_
#define VITRINE_API_RENDER_COLUMN_MESSAGES_H_

#include <span>

#include "api/render/messages.h"

namespace vitrine {

std::span<const MessageEntry> ColumnMessages();

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_COLUMN_MESSAGES_H_
