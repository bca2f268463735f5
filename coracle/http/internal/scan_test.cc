// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/internal/scan.h>

#include <gtest/gtest.h>

#include <vector>

namespace coracle::http::internal {
namespace {

// The vector and the portable scanner find the same byte, at every length, offset and place.
template <class Kind>
void expect_twins_agree(char filler) {
    for (std::size_t size = 0; size <= 40; ++size) {
        for (std::size_t start = 0; start <= size; ++start) {
            std::vector<char> text(size, filler);
            const char* end = text.data() + size;
            EXPECT_EQ(find<Kind>(text.data(), text.data() + start, end), end);
            EXPECT_EQ(find_portable<Kind>(text.data() + start, end), end);
        }
        for (std::size_t place = 0; place < size; ++place) {
            for (unsigned byte = 0; byte < 256; ++byte) {
                std::vector<char> text(size, filler);
                text[place] = static_cast<char>(byte);
                const char* end = text.data() + size;
                const char* expected = Kind::matches(text[place]) ? text.data() + place : end;
                for (std::size_t start : {std::size_t{0}, place / 2, place}) {
                    ASSERT_EQ(find<Kind>(text.data(), text.data() + start, end), expected) << byte;
                    ASSERT_EQ(find_portable<Kind>(text.data() + start, end), expected) << byte;
                }
            }
        }
    }
}

TEST(Scan, FindsControlBytes) {
    expect_twins_agree<ControlByte>('a');
    expect_twins_agree<ControlByte>('\x80');
}
TEST(Scan, FindsTheEndOfATarget) { expect_twins_agree<TargetEnd>('/'); }
TEST(Scan, FindsTheEndOfAPlainPath) { expect_twins_agree<PlainPathEnd>('/'); }
TEST(Scan, FindsTheEndOfAPlainName) { expect_twins_agree<NotPlainName>('-'); }
TEST(Scan, FindsTheEndOfAPlainHost) { expect_twins_agree<NotPlainHost>('.'); }
TEST(Scan, FindsQueryAndPercent) { expect_twins_agree<QueryOrPercent>('>'); }

TEST(Scan, FindsTheFirstOfSeveral) {
    std::vector<char> text(33, 'a');
    text[20] = text[21] = text[32] = '\n';
    text[19] = '\x21';
    EXPECT_EQ(find<ControlByte>(text.data(), text.data(), text.data() + 33), text.data() + 20);
    EXPECT_EQ(find_portable<ControlByte>(text.data(), text.data() + 33), text.data() + 20);
}

TEST(Scan, EndsNamesAtTheFirstByteThatIsNoTokenByte) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        std::vector<char> text(40, 'x');
        text[25] = '1';
        text[30] = static_cast<char>(byte);
        const char* expected = text.data() + (has_class(text[30], kToken) ? 40 : 30);
        EXPECT_EQ(find_name_end(text.data(), text.data(), text.data() + 40), expected) << byte;
    }
}

}  // namespace
}  // namespace coracle::http::internal
