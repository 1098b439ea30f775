#include "loadgen/protocol/http1_response.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

using Progress = Http1Response::Progress;

struct Read {
  Progress progress = Progress::kMore;
  std::size_t used = 0;
};

// In parts of `step` bytes, as the network likes it.
Read read(Http1Response& response, std::string_view bytes, std::size_t step = std::string_view::npos) {
  Read all;
  while (all.used < bytes.size() && all.progress == Progress::kMore) {
    std::size_t used = 0;
    all.progress = response.feed(bytes.substr(all.used, step), used);
    all.used += used;
  }
  return all;
}

TEST(Http1Response, EndsWhereItsLengthSays) {
  const std::string one = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t step : {1u, 2u, 7u, 1000u}) {
    Http1Response response;
    response.start(false, 3);
    const Read all = read(response, one + "HTTP/1.1 500", step);
    EXPECT_EQ(all.progress, Progress::kComplete) << step;
    EXPECT_EQ(all.used, one.size()) << step;
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.body_bytes(), 5u);
    EXPECT_EQ(response.body(), "hel");
    EXPECT_TRUE(response.keep_alive());
  }
}

TEST(Http1Response, EndsBehindTheLastChunkAndItsTrailers) {
  const std::string one =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\n00A\r\n0123456789\r\n0\r\nT: "
      "1\r\n\r\n";
  for (std::size_t step : {1u, 3u, 1000u}) {
    Http1Response response;
    response.start(false, 100);
    const Read all = read(response, one + one, step);
    EXPECT_EQ(all.progress, Progress::kComplete) << step;
    EXPECT_EQ(all.used, one.size()) << step;
    EXPECT_EQ(response.body(), "hello0123456789");
  }
}

TEST(Http1Response, WithoutALengthItEndsWithTheConnection) {
  Http1Response response;
  response.start();
  EXPECT_EQ(read(response, "HTTP/1.1 200 OK\r\n\r\nso long").progress, Progress::kMore);
  EXPECT_EQ(response.closed(), Progress::kComplete);
  EXPECT_EQ(response.body_bytes(), 7u);
  EXPECT_FALSE(response.keep_alive());
}

TEST(Http1Response, HasNoBodyWhereTheProtocolSaysSo) {
  for (const char* head :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"}) {
    Http1Response response;
    response.start();
    EXPECT_EQ(read(response, head).progress, Progress::kComplete) << head;
  }
  Http1Response response;
  response.start(true);
  EXPECT_EQ(read(response, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").progress, Progress::kComplete);
}

TEST(Http1Response, PassesOverInterimOnes) {
  Http1Response response;
  response.start();
  EXPECT_EQ(
      read(response, "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\ncontent-length:0\r\n\r\n")
          .progress,
      Progress::kComplete);
  EXPECT_EQ(response.status(), 201);
}

TEST(Http1Response, SaysWhetherTheConnectionStays) {
  const auto stays = [](std::string_view version, std::string_view fields) {
    Http1Response response;
    response.start();
    read(response, std::string(version) + " 200 OK\r\nContent-Length: 0\r\n" + std::string(fields) + "\r\n");
    return response.keep_alive();
  };
  EXPECT_TRUE(stays("HTTP/1.1", ""));
  EXPECT_FALSE(stays("HTTP/1.1", "Connection: x, Close\r\n"));
  EXPECT_FALSE(stays("HTTP/1.0", ""));
  EXPECT_TRUE(stays("HTTP/1.0", "connection: Keep-Alive\r\n"));
}

TEST(Http1Response, TellsHowLongToStayAway) {
  Http1Response response;
  response.start();
  read(response, "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(response.status(), 429);
  EXPECT_EQ(response.retry_after_s(), 7u);
}

TEST(Http1Response, RefusesWhatIsNone) {
  const struct {
    const char* bytes;
    const char* why;
  } kBad[] = {
      {"SSH-2.0-OpenSSH\r\n", "status line"},
      {"HTTP/2.0 200 OK\r\n", "status line"},
      {"HTTP/1.1 20x OK\r\n", "status code"},
      {"HTTP/1.1 2000 OK\r\n", "status line"},
      {"HTTP/1.1 200 OK\r\nno colon\r\n", "header field"},
      {"HTTP/1.1 200 OK\r\nspace : 1\r\n", "header field"},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "content-length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "content-length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", "content-length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "transfer-encoding"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk size"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "longer"},
      {"HTTP/1.1 101 Switching\r\n\r\n", "switches"},
  };
  for (const auto& [bytes, why] : kBad) {
    for (std::size_t step : {1u, 1000u}) {
      Http1Response response;
      response.start();
      EXPECT_EQ(read(response, bytes, step).progress, Progress::kBad) << bytes;
      EXPECT_NE(response.error().find(why), std::string_view::npos) << bytes << ": " << response.error();
    }
  }
}

TEST(Http1Response, RefusesAHeadWithoutEnd) {
  for (const std::string& line : {std::string("X: y\r\n"), std::string("aaaaaaaa")}) {
    Http1Response response;
    response.start();
    read(response, "HTTP/1.1 200 OK\r\n");
    std::size_t fed = 0;
    while (fed < 2 * Http1Response::kMaxHead && read(response, line).progress == Progress::kMore)
      fed += line.size();
    EXPECT_LT(fed, Http1Response::kMaxHead + 100);
    EXPECT_EQ(response.error(), "a head without end");
  }
}

TEST(Http1Response, TellsAnEarlyCloseFromNone) {
  Http1Response response;
  response.start();
  EXPECT_EQ(response.closed(), Progress::kBad);
  EXPECT_EQ(response.error(), "closed without a response");
  response.start();
  read(response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(response.closed(), Progress::kBad);
  EXPECT_EQ(response.error(), "closed in the middle of a response");
}

}  // namespace
}  // namespace faultline
