# Turns a file into C++: cmake -D INPUT=page.html -D OUTPUT=page.cc -P embed.cmake
#
# The bytes as one string literal, in lines that an editor can open.
file(READ "${INPUT}" rest HEX)
set(literals "")
while(NOT rest STREQUAL "")
    string(LENGTH "${rest}" length)
    if(length GREATER 48)
        set(length 48)
    endif()
    string(SUBSTRING "${rest}" 0 ${length} piece)
    string(SUBSTRING "${rest}" ${length} -1 rest)
    string(REGEX REPLACE "(..)" "\\\\x\\1" piece "${piece}")
    string(APPEND literals "    \"${piece}\"\n")
endwhile()
file(WRITE "${OUTPUT}"
    "// Made from page.html by embed.cmake.\n"
    "#include \"page.h\"\n\n"
    "const std::string_view showcase::page_html =\n${literals}    ;\n")
