// SPDX-License-Identifier: Apache-2.0
// Command line of the small programs here: --name value pairs, nothing else.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace bench {

class Options {
  public:
    // Exits with 2 and one sentence when an argument is not part of a --name value pair.
    Options(int argc, char** argv) {
        for (int at = 1; at < argc; at += 2) {
            std::string_view name = argv[at];
            if (!name.starts_with("--") || at + 1 == argc) {
                std::fprintf(stderr, "%s: want --name value pairs, got '%s'\n", argv[0], argv[at]);
                std::exit(2);
            }
            values_[std::string(name.substr(2))] = argv[at + 1];
        }
    }

    std::string text(const std::string& name, std::string otherwise = {}) const {
        auto found = values_.find(name);
        return found == values_.end() ? otherwise : found->second;
    }
    int integer(const std::string& name, int otherwise) const {
        auto found = values_.find(name);
        return found == values_.end() ? otherwise : std::atoi(found->second.c_str());
    }
    double real(const std::string& name, double otherwise) const {
        auto found = values_.find(name);
        return found == values_.end() ? otherwise : std::atof(found->second.c_str());
    }

  private:
    std::map<std::string, std::string> values_;
};

}  // namespace bench
