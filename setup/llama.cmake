# Read by CMake right after llama.cpp's own project() line, see CMAKE_PROJECT_INCLUDE there. Its "common" library serves
# llama.cpp's command-line programs only, but llama-cpp-python forces it on; a plain variable hides the forced one.
set(LLAMA_BUILD_COMMON OFF)
