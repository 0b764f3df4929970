# Turns a text file into a C++ source that holds it:
#   cmake -DIN=openapi.json -DOUT=openapi.cc -DNAME=kOpenApi [-DSTRIP=1] -P embed.cmake
# STRIP drops from a JavaScript file what costs a visitor without being of use: indentation, lines
# that are nothing but a comment, blanks around operators, line ends behind them, brackets around a
# lone parameter. Its strings must therefore hold no blanks beside operators.
file(READ ${IN} text)
if(STRIP)
  string(REGEX REPLACE "(^|\n)[ \t]+" "\\1" text "${text}")
  string(REGEX REPLACE "(^|\n)(//[^\n]*\n)+" "\\1" text "${text}")
  string(REGEX REPLACE "\n\n+" "\n" text "${text}")
  string(REGEX REPLACE " *([-+=<>!?:&|{},;()]+) *" "\\1" text "${text}")
  string(REGEX REPLACE "\\(([a-z]+)\\)=>" "\\1=>" text "${text}")
  string(REGEX REPLACE "([;{,(])\n" "\\1" text "${text}")
endif()
file(WRITE ${OUT} "#include \"api/gateway/embedded.h\"\n\nnamespace vitrine {\n\n"
     "const char ${NAME}[] = R\"VITRINE(${text})VITRINE\";\n\n}  // namespace vitrine\n")
