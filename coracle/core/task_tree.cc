// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/task_tree.h>

#include <coracle/core/cancel.h>
#include <coracle/core/loop.h>
#include <coracle/core/park.h>

#include <cxxabi.h>

#include <cstdlib>
#include <map>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace coracle {
namespace {

using internal::PromiseBase;
using internal::TaskNode;

// "coracle::Task<int> shop::fetch(coracle::ClientSession&, std::string)" becomes "fetch", a lambda
// in it "fetch::lambda".
std::string short_function(std::string_view signature) {
    std::string text(signature);
    // Clang writes (anonymous namespace), which would look like a parameter list.
    for (std::string_view noise : {"(anonymous namespace)::", "{anonymous}::"}) {
        for (std::size_t at; (at = text.find(noise)) != std::string::npos;)
            text.erase(at, noise.size());
    }
    bool is_lambda = text.find("lambda") != std::string::npos ||
                     text.find("(anonymous class)") != std::string::npos;
    std::string name = text.substr(0, text.find('('));
    // The last component outside of template arguments.
    int depth = 0;
    std::size_t begin = name.size();
    while (begin > 0) {
        char c = name[begin - 1];
        if (c == '>') ++depth;
        if (c == '<') --depth;
        if ((c == ' ' || c == ':') && depth == 0) break;
        --begin;
    }
    name.erase(0, begin);
    return is_lambda ? name + "::lambda" : name;
}

std::string_view short_file(std::string_view path) {
    std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string place(const std::source_location& where) {
    return short_function(where.function_name()) + " (" +
           std::string(short_file(where.file_name())) + ":" + std::to_string(where.line()) + ")";
}

void append_stack(std::string& out, const PromiseBase* frame, const std::string& indent) {
    for (; frame; frame = frame->parent) out += indent + "in " + place(frame->where) + "\n";
}

// The task whose group, or whose cancelled-alone scope, holds this one.
const TaskNode* parent_of(const TaskNode& task) {
    const CancelScope* scope = task.scope;
    while (scope && (scope->internal_owner() == &task || !scope->internal_owner())) {
        scope = scope->internal_parent();
    }
    return scope ? scope->internal_owner() : nullptr;
}

using Children = std::multimap<const TaskNode*, const TaskNode*>;

void append_task(std::string& out, const TaskNode& task, const Children& children, int depth) {
    std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
    out += indent + task.name();
    if (task.parked) {
        out += " waits for " + task.parked->describe() + "\n";
    } else {
        out += " is ready to run\n";
    }
    const PromiseBase* frame = task.parked ? task.leaf : task.root;
    append_stack(out, frame, indent + "  ");
    auto [begin, end] = children.equal_range(&task);
    for (auto child = begin; child != end; ++child)
        append_task(out, *child->second, children, depth + 1);
}

}  // namespace

std::string task_tree(EventLoop& loop) {
    Children children;
    for (const TaskNode& task : loop.internal_tasks()) children.emplace(parent_of(task), &task);
    std::string out;
    auto [begin, end] = children.equal_range(nullptr);
    for (auto root = begin; root != end; ++root) append_task(out, *root->second, children, 0);
    return out;
}

std::string unwound_awaits() {
    std::string out;
    TaskNode* task = internal::current_node();
    if (!task || !task->trace) return out;
    for (const std::source_location& where : task->trace->places)
        out += "  in " + place(where) + "\n";
    return out;
}

std::string describe_task(const TaskNode& task) {
    std::string text = task.name();
    if (task.activity) text += " (" + *task.activity + ")";
    if (task.parked) {
        text += ", which now awaits " + task.parked->describe();
        if (task.leaf) text += " in " + place(task.leaf->where);
    } else if (task.root) {
        text += task.root->finished ? ", which then ended; its last await was in " : " in ";
        text += place(task.root->where);
    }
    return text;
}

std::string describe_exception(const std::exception_ptr& error) {
    if (!error) return "no exception";
    std::string name = "exception";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& exception) {
        int status = 0;
        const char* mangled = typeid(exception).name();
        if (char* readable = abi::__cxa_demangle(mangled, nullptr, nullptr, &status)) {
            name = readable;
            std::free(readable);
        } else {
            name = mangled;
        }
        return name + ": " + exception.what();
    } catch (const Cancelled& cancelled) {
        return "Cancelled: " + cancelled.reason();
    } catch (...) {  // tidy: describing whatever it is
        return "something that is not a std::exception";
    }
}

void note_activity(const std::string* activity) noexcept {
    if (TaskNode* task = internal::current_node()) task->activity = activity;
}

}  // namespace coracle
