// SPDX-License-Identifier: Apache-2.0
// How long other processes have been on a CPU, from /proc.
#include "cpu_time.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace bench {

std::vector<std::string> split_pids(const std::string& text) {
    std::vector<std::string> pids;
    std::istringstream words(text);
    for (std::string pid; std::getline(words, pid, ',');) pids.push_back(pid);
    return pids;
}

std::uint64_t cpu_ns(const std::vector<std::string>& pids) {
    std::uint64_t total = 0;
    for (const auto& pid : pids) {
        std::error_code gone;  // a thread may end while we look: it counts as nothing
        for (const auto& task :
             std::filesystem::directory_iterator("/proc/" + pid + "/task", gone)) {
            std::uint64_t on_cpu = 0;
            std::ifstream(task.path() / "schedstat") >> on_cpu;
            total += on_cpu;
        }
    }
    return total;
}

}  // namespace bench
