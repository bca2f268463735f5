// SPDX-License-Identifier: Apache-2.0
// A doubly linked list whose links live in the elements: no allocation, removal from the middle in
// constant time.
#pragma once

#include <coracle/base/assert.h>

#include <cstddef>

namespace coracle {

// Base of an element. An element is in at most one list per base; give each list its own Tag to be
// in several. Destroying a linked element removes it.
template <class Tag = void>
class ListLink {
  public:
    ListLink() noexcept = default;
    ListLink(const ListLink&) = delete;
    ListLink& operator=(const ListLink&) = delete;
    ~ListLink() { unlink(); }

    bool is_linked() const noexcept { return next_ != nullptr; }

    // Leaves the list it is in, if any.
    void unlink() noexcept {
        if (!next_) return;
        next_->previous_ = previous_;
        previous_->next_ = next_;
        next_ = previous_ = nullptr;
    }

  private:
    template <class T, class U>
    friend class IntrusiveList;
    ListLink* next_ = nullptr;
    ListLink* previous_ = nullptr;
};

// First-in first-out list of T, which derives from ListLink<Tag>. Owns nothing: destroying the list
// unlinks what is left. Not for several threads.
//
//   struct Waiter : ListLink<> { ... };
//   IntrusiveList<Waiter> waiters;
//   waiters.push_back(waiter);
//   while (Waiter* next = waiters.pop_front()) next->wake();
template <class T, class Tag = void>
class IntrusiveList {
    using Link = ListLink<Tag>;

  public:
    class iterator {
      public:
        explicit iterator(Link* at) noexcept : at_(at) {}
        T& operator*() const noexcept { return *static_cast<T*>(at_); }
        T* operator->() const noexcept { return static_cast<T*>(at_); }
        iterator& operator++() noexcept {
            at_ = at_->next_;
            return *this;
        }
        bool operator==(const iterator& other) const noexcept = default;

      private:
        Link* at_;
    };

    IntrusiveList() noexcept { head_.next_ = head_.previous_ = &head_; }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;
    ~IntrusiveList() {
        while (pop_front()) {
        }
        head_.next_ = nullptr;  // it is in no list
    }

    bool empty() const noexcept { return head_.next_ == &head_; }
    std::size_t size() const noexcept {
        std::size_t count = 0;
        for (Link* at = head_.next_; at != &head_; at = at->next_) ++count;
        return count;
    }

    T& front() noexcept { return *static_cast<T*>(head_.next_); }
    T& back() noexcept { return *static_cast<T*>(head_.previous_); }

    void push_back(T& element) noexcept { insert_before(head_, element); }
    void push_front(T& element) noexcept { insert_before(*head_.next_, element); }

    // The oldest element, removed; null when the list is empty.
    T* pop_front() noexcept {
        if (empty()) return nullptr;
        Link* first = head_.next_;
        first->unlink();
        return static_cast<T*>(first);
    }

    // Iterating tolerates nothing: to remove while walking, step on before unlinking.
    iterator begin() noexcept { return iterator(head_.next_); }
    iterator end() noexcept { return iterator(&head_); }

  private:
    static void insert_before(Link& where, T& element) noexcept {
        Link& link = element;
        CORACLE_DEBUG_ASSERT(!link.is_linked());
        link.previous_ = where.previous_;
        link.next_ = &where;
        where.previous_->next_ = &link;
        where.previous_ = &link;
    }

    Link head_;
};

}  // namespace coracle
