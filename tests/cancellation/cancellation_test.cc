// SPDX-License-Identifier: Apache-2.0
// Runs the cancellation matrix, and says how many cells that were.
//
//   cancellation_test              every cell; first proves on broken subjects that it can fail
//   cancellation_test NAME         the rows whose function contains NAME
//   cancellation_test --rows       the functions that have a row, one a line
#include "matrix.h"

#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace coracle;
using namespace coracle::matrix;

std::string title(const Row& row) {
    return row.variant.empty() ? row.function : row.function + " [" + row.variant + "]";
}

struct Totals {
    int run = 0;
    int failed = 0;
    std::vector<std::string> left_out;
};

void run_row(const Row& row, Totals& totals) {
    for (Column column : columns) {
        std::string cell = title(row) + ", " + name_of(column);
        if (auto found = row.without.find(column); found != row.without.end()) {
            totals.left_out.push_back(cell + ": " + found->second);
            continue;
        }
        auto complaints = run_cell(row, column);
        ++totals.run;
        if (complaints.empty()) continue;
        ++totals.failed;
        for (const std::string& complaint : complaints) {
            std::printf("FAILED %s: %s\n", cell.c_str(), complaint.c_str());
        }
    }
}

// Each broken subject must be found out. Its variant is what the matrix has to say.
int prove_that_it_can_fail() {
    Matrix broken;
    add_broken_rows(broken);
    int missed = 0;
    for (const Row& row : broken.rows) {
        bool found = false;
        for (Column column : columns) {
            for (const std::string& complaint : run_cell(row, column)) {
                found = found || complaint.find(row.variant) != std::string::npos;
            }
        }
        if (found) continue;
        ++missed;
        std::printf("FAILED %s: the matrix did not say \"%s\"\n", row.function.c_str(),
                    row.variant.c_str());
    }
    std::printf("%zu broken subjects, %d of them not found out\n", broken.rows.size(), missed);
    return missed;
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view argument = argc > 1 ? argv[1] : "";
    // A handler that is cut in the middle of its response is what some cells are about.
    log::set_sink([](log::Level, std::string_view, std::string_view) {});
    std::setvbuf(stdout, nullptr, _IOLBF, 0);

    Matrix all;
    add_core_rows(all);
    add_combinator_rows(all);
    add_exec_rows(all);
    add_net_rows(all);
    add_wire_rows(all);
    add_web_rows(all);
    add_foreign_rows(all);

    if (argument == "--rows") {
        std::set<std::string> functions;
        for (const Row& row : all.rows) functions.insert(row.function);
        for (const Elsewhere& other : all.elsewhere) functions.insert(other.function);
        for (const std::string& function : functions) std::printf("%s\n", function.c_str());
        return 0;
    }

    int missed = argument.empty() ? prove_that_it_can_fail() : 0;
    Totals totals;
    std::set<std::string> functions;
    for (const Row& row : all.rows) {
        if (row.function.find(argument) == std::string::npos) continue;
        functions.insert(row.function);
        run_row(row, totals);
    }
    for (const std::string& cell : totals.left_out) std::printf("left out: %s\n", cell.c_str());
    for (const Elsewhere& other : all.elsewhere) {
        std::printf("elsewhere: %s: %s\n", other.function.c_str(), other.reason.c_str());
    }
    std::printf("%d cells run, for %zu functions; %zu left out with a reason; %d failed\n",
                totals.run, functions.size(), totals.left_out.size(), totals.failed);
    return totals.failed == 0 && missed == 0 && totals.run > 0 ? 0 : 1;
}
