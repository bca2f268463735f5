// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/html.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

// C121, CVE-2024-27306
TEST(Html, EscapesWhatWouldBeMarkup) {
    EXPECT_EQ(html_escape("<script>\"a\" & 'b'</script>"),
              "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
}

}  // namespace
}  // namespace coracle::http
