// SPDX-License-Identifier: Apache-2.0
// The requests we send: a small one and a browser's, one header value of each changing every time.
#include "request.h"

namespace bench {
namespace {

constexpr std::string_view kNumber = "00000000";

// Both heads end where the number begins. Host is the same whatever the port, so that the
// instruction counts of two runs are of the same bytes.
constexpr std::string_view kSmallHead =
    " HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "X-Request: ";

constexpr std::string_view kBrowserHead =
    " HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/128.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
    "Cookie: theme=dark; session=0123456789abcdef01234567";

}  // namespace

Requests::Requests(std::string_view path, bool browser, int depth, std::uint32_t first_number)
    : number_(first_number) {
    std::string one = "GET " + std::string(path);
    one += browser ? kBrowserHead : kSmallHead;
    digits_ = one.size();
    one += kNumber;
    one += "\r\n\r\n";
    length_ = one.size();
    for (int copy = 0; copy < depth; ++copy) bytes_ += one;
}

void Requests::stamp() {
    for (std::size_t start = 0; start < bytes_.size(); start += length_) {
        auto left = number_++;
        for (std::size_t place = kNumber.size(); place-- > 0; left >>= 4)
            bytes_[start + digits_ + place] = "0123456789abcdef"[left & 15];
    }
}

}  // namespace bench
