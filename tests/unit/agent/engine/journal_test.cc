#include "agent/engine/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/scope_exit.h"
#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

using testing::TempDir;
using Json = nlohmann::json;

StickyRecord tree(int ifindex) {
  return {.kind = "net_tree", .where = {{"netns", 4026531840u}, {"ifindex", ifindex}}};
}

std::unique_ptr<Journal> open_journal(const TempDir& dir) {
  auto journal = Journal::open(dir.path());
  EXPECT_TRUE(journal.ok()) << journal.status();
  return journal.ok() ? *std::move(journal) : nullptr;
}

std::string file_of(const TempDir& dir) {
  return dir.path() + "/journal.jsonl";
}

std::string text_of(const TempDir& dir) {
  std::ifstream file(file_of(dir), std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const TempDir& dir, const std::string& text) {
  std::ofstream(file_of(dir), std::ios::binary | std::ios::trunc) << text;
}

std::vector<int> ifindexes(const Journal& journal) {
  std::vector<int> found;
  for (const auto& [entry, record] : journal.unsettled()) found.push_back(record.where.value("ifindex", -1));
  return found;
}

using Ints = std::vector<int>;

TEST(Journal, AnIntentIsInTheFileBeforeAnybodyClosesIt) {
  const TempDir dir;
  const auto journal = open_journal(dir);
  ASSERT_TRUE(journal->intend(tree(7)).ok());
  const std::string text = text_of(dir);
  const auto last = text.rfind('\n', text.size() - 2);
  const Json line = Json::parse(text.substr(last + 1));
  EXPECT_EQ(line.at("op"), "intend");
  EXPECT_EQ(line.at("kind"), "net_tree");
  EXPECT_EQ(line.at("where"), tree(7).where);
}

TEST(Journal, ReloadsWhatWasNotSettledInOrder) {
  const TempDir dir;
  {
    const auto journal = open_journal(dir);
    ASSERT_TRUE(journal->intend(tree(1)).ok());
    const auto settled = journal->intend(tree(2));
    ASSERT_TRUE(journal->intend(tree(3)).ok());
    ASSERT_TRUE(journal->settle(*settled).ok());
    EXPECT_EQ(ifindexes(*journal), (Ints{1, 3}));
  }
  const auto journal = open_journal(dir);
  EXPECT_EQ(ifindexes(*journal), (Ints{1, 3}));
  EXPECT_EQ(journal->unsettled().begin()->second.kind, "net_tree");
  EXPECT_EQ(journal->unsettled().begin()->second.where, tree(1).where);
}

TEST(Journal, EntriesKeepTheirNumbersOverRestartsAndNewOnesNeverTakeThem) {
  const TempDir dir;
  std::uint64_t first = 0;
  {
    const auto journal = open_journal(dir);
    first = *journal->intend(tree(1));
  }
  const auto journal = open_journal(dir);
  EXPECT_EQ(journal->unsettled().begin()->first, first);
  EXPECT_GT(*journal->intend(tree(2)), first);
  ASSERT_TRUE(journal->settle(first).ok());
  EXPECT_EQ(ifindexes(*journal), Ints{2});
}

TEST(Journal, DropsATornLastLineAndGoesOnAppending) {
  const TempDir dir;
  {
    const auto journal = open_journal(dir);
    ASSERT_TRUE(journal->intend(tree(1)).ok());
    ASSERT_TRUE(journal->intend(tree(2)).ok());
  }
  const std::string whole = text_of(dir);
  const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  // Torn anywhere, even right before its newline.
  for (std::size_t end = last_line; end < whole.size(); end += 7) {
    write_text(dir, whole.substr(0, end));
    {
      const auto journal = open_journal(dir);
      EXPECT_EQ(ifindexes(*journal), Ints{1}) << "cut at " << end;
      ASSERT_TRUE(journal->intend(tree(5)).ok());
    }
    EXPECT_EQ(ifindexes(*open_journal(dir)), (Ints{1, 5})) << "cut at " << end;
  }
}

// Lines that are no JSON, no object, or an object of other types.
TEST(Journal, AnUnreadableLineCostsOnlyItself) {
  for (const char* broken :
       {"\xff\xfe garbage", "{\"entry\":2,\"op\":", "[1,2]", "7", "", "{\"entry\":\"two\",\"op\":\"intend\"}",
        "{\"entry\":2,\"op\":5}", "{\"entry\":2,\"op\":\"intend\",\"kind\":{}}",
        "{\"entry\":-2,\"op\":\"intend\"}"}) {
    const TempDir dir;
    {
      const auto journal = open_journal(dir);
      ASSERT_TRUE(journal->intend(tree(1)).ok());
      ASSERT_TRUE(journal->intend(tree(3)).ok());
    }
    std::string text = text_of(dir);
    text.insert(text.rfind('\n', text.size() - 2) + 1, std::string(broken) + "\n");
    write_text(dir, text);
    EXPECT_EQ(ifindexes(*open_journal(dir)), (Ints{1, 3})) << broken;
  }
}

TEST(Journal, DropsEntriesOfAnotherBoot) {
  for (const char* header : {"{\"boot\":\"00000000-0000-0000-0000-000000000000\"}", "{\"boot\":5}", "{}"}) {
    const TempDir dir;
    {
      const auto journal = open_journal(dir);
      ASSERT_TRUE(journal->intend(tree(1)).ok());
    }
    const std::string text = text_of(dir);
    write_text(dir, header + text.substr(text.find('\n')));
    const auto journal = open_journal(dir);
    EXPECT_TRUE(journal->unsettled().empty()) << header;
    ASSERT_TRUE(journal->intend(tree(9)).ok());
    EXPECT_EQ(ifindexes(*journal), Ints{9});
  }
}

TEST(Journal, HoldsOnlyUnsettledEntriesAfterAReopening) {
  const TempDir dir;
  {
    const auto journal = open_journal(dir);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(journal->settle(*journal->intend(tree(i))).ok());
  }
  (void)open_journal(dir);
  const std::string text = text_of(dir);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

TEST(Journal, RefusesASecondAgentOnTheSameFolder) {
  const TempDir dir;
  auto first = open_journal(dir);
  ASSERT_TRUE(first->intend(tree(1)).ok());
  const auto second = Journal::open(dir.path());
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(message_of(second.status()).find("another agent"), std::string::npos);
  EXPECT_EQ(ifindexes(*first), Ints{1});
  first.reset();
  EXPECT_EQ(ifindexes(*open_journal(dir)), Ints{1});
}

TEST(Journal, MakesItsFolderAndKeepsItsFilesPrivate) {
  const TempDir dir;
  const std::string deep = dir.path() + "/var/lib/agent";
  const auto journal = Journal::open(deep);
  ASSERT_TRUE(journal.ok()) << journal.status();
  struct stat st {};
  ASSERT_EQ(::stat((deep + "/journal.jsonl").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(deep + "/journal.jsonl.new"));
}

TEST(Journal, SaysWhereItMayNotWrite) {
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
  const uid_t me = ::geteuid();
  if (me == 0) {
    ASSERT_EQ(::seteuid(65534), 0);  // root may write anywhere
  }
  ScopeExit back([&] { EXPECT_EQ(::seteuid(me), 0); });
  const auto journal = Journal::open(dir.path());
  EXPECT_EQ(journal.status().code(), StatusCode::kPermissionDenied);
  EXPECT_NE(message_of(journal.status()).find(dir.path()), std::string::npos);
  const auto below = Journal::open(dir.path() + "/agent");
  EXPECT_EQ(below.status().code(), StatusCode::kPermissionDenied);
}

TEST(Journal, RefusesAFileWhereItsFolderShouldBe) {
  const TempDir dir;
  std::ofstream(dir.path() + "/file") << "x";
  EXPECT_FALSE(Journal::open(dir.path() + "/file").ok());
  EXPECT_FALSE(Journal::open(dir.path() + "/file/agent").ok());
}

// Files may grow to `bytes` and no further, as on a full disk: the last write is cut short, the next one
// fails.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(Journal, AFullDiskLeavesNothingHalfWritten) {
  const TempDir dir;
  const auto journal = open_journal(dir);
  ASSERT_TRUE(journal->intend(tree(1)).ok());
  const std::string before = text_of(dir);
  for (const std::size_t room : {0, 1, 20, 60}) {
    Status refused;
    {
      const FullDisk full(before.size() + room);
      refused = journal->intend(tree(2)).status();
    }
    EXPECT_FALSE(refused.ok()) << room;
    EXPECT_EQ(text_of(dir), before) << room;
    EXPECT_EQ(ifindexes(*journal), Ints{1}) << room;
  }
  ASSERT_TRUE(journal->intend(tree(3)).ok());
  EXPECT_EQ(ifindexes(*journal), (Ints{1, 3}));
}

TEST(Journal, AFullDiskAtOpenKeepsTheOldFile) {
  const TempDir dir;
  {
    const auto journal = open_journal(dir);
    ASSERT_TRUE(journal->intend(tree(1)).ok());
  }
  const std::string before = text_of(dir);
  Status refused;
  {
    const FullDisk full(10);
    refused = Journal::open(dir.path()).status();
  }
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(text_of(dir), before);
  EXPECT_EQ(ifindexes(*open_journal(dir)), Ints{1});
}

TEST(Journal, ASettleThatCannotBeWrittenIsOwedAndWrittenLater) {
  const TempDir dir;
  const auto journal = open_journal(dir);
  const std::uint64_t entry = *journal->intend(tree(1));
  const std::string before = text_of(dir);
  {
    const FullDisk full(before.size() + 3);
    EXPECT_TRUE(journal->settle(entry).ok()) << "the state is gone; only the record is not";
    EXPECT_EQ(text_of(dir), before);
    EXPECT_EQ(ifindexes(*journal), Ints{1});
  }
  ASSERT_TRUE(journal->intend(tree(2)).ok());
  EXPECT_EQ(ifindexes(*journal), Ints{2});
}

TEST(Journal, AJournalWhoseFileWasRemovedTakesNothing) {
  const TempDir dir;
  const auto journal = open_journal(dir);
  ASSERT_TRUE(journal->intend(tree(1)).ok());
  std::filesystem::remove(file_of(dir));
  const Status refused = journal->intend(tree(2)).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(message_of(refused), "nothing was changed, for it could not be written down first: " +
                                     file_of(dir) + " has been removed");
  EXPECT_EQ(ifindexes(*journal), Ints{1});
}

}  // namespace
}  // namespace faultline
