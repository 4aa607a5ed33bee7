// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/domain_xml.h"

#include <gmock/gmock.h>

#include "common/text.h"
#include "corpus.h"

namespace whawty::testing {
namespace {

using ::testing::HasSubstr;

std::string to_text(const DomainDescription& description) {
  std::string text = description.active ? "active\n" : "inactive\n";
  for (const LiveHostdev& hostdev : description.hostdevs)
    text += concat("hostdev ", decimal(hostdev.bus, 3), '/', decimal(hostdev.device, 3), ' ',
                   hex(hostdev.vendor, 4), ':', hex(hostdev.product, 4), hostdev.ours ? " ours" : "",
                   hostdev.mark ? " " + hex(*hostdev.mark, 16) : "", hostdev.missing ? " missing" : "", '\n');
  return text + concat("unidentified ", description.unidentified, '\n');
}

std::string result_of(const std::string& xml) {
  const auto result = parse_domain_xml(xml);
  if (const auto* const error = std::get_if<DomainXmlError>(&result)) return error->message + "\n";
  return to_text(std::get<DomainDescription>(result));
}

std::string with_source(const std::string& source) {
  return "<domain id='1'><devices><hostdev type='usb'><source>" + source +
         "</source></hostdev></devices></domain>";
}

constexpr const char* kUnidentified = "active\nunidentified 1\n";

std::string name_of(const ::testing::TestParamInfo<CorpusCase>& info) {
  return info.param.name;
}

class DomainXmlCorpus : public ::testing::TestWithParam<CorpusCase> {};

TEST_P(DomainXmlCorpus, GivesWhatStandsBesideIt) {
  EXPECT_EQ(result_of(read_file(GetParam().input)), read_file(GetParam().expectation));
}

INSTANTIATE_TEST_SUITE_P(Files, DomainXmlCorpus,
                         ::testing::ValuesIn(corpus(WHAWTY_CORPUS, ".xml", ".expected")), name_of);

struct Source {
  std::string xml;
  std::string result;
};
void PrintTo(const Source& source, std::ostream* out) {
  *out << source.xml;
}

class DomainXmlNumbers : public ::testing::TestWithParam<Source> {};

TEST_P(DomainXmlNumbers, AreReadLikeThis) {
  EXPECT_EQ(result_of(with_source(GetParam().xml)), GetParam().result);
}

std::string identified(const std::string& hostdev) {
  return "active\nhostdev " + hostdev + "\nunidentified 0\n";
}

INSTANTIATE_TEST_SUITE_P(
    Usable, DomainXmlNumbers,
    ::testing::Values(Source{"<vendor id='0x046d'/><product id='0x0825'/>", identified("000/000 046d:0825")},
                      Source{"<vendor id='0X046D'/><product id='0x825'/>", identified("000/000 046d:0825")},
                      Source{"<vendor id='1133'/><product id='04045'/>", identified("000/000 046d:0825")},
                      Source{"<vendor id='0xffff'/><product id='0'/>", identified("000/000 ffff:0000")},
                      Source{"<product id='0x0825'/><vendor id='0x046d'/>", identified("000/000 046d:0825")},
                      Source{"<address bus='3' device='5'/>", identified("003/005 0000:0000")},
                      Source{"<address bus='0x3' device='010'/>", identified("003/008 0000:0000")},
                      Source{"<address bus='999' device='127'/>", identified("999/127 0000:0000")},
                      Source{"<vendor id='0x046d'/><product id='0x0825'/><address bus='3' device='5'/>",
                             identified("003/005 046d:0825")}));

INSTANTIATE_TEST_SUITE_P(
    Unusable, DomainXmlNumbers,
    ::testing::Values(
        Source{"", kUnidentified}, Source{"<vendor id='0x046d'/>", kUnidentified},
        Source{"<product id='0x0825'/>", kUnidentified}, Source{"<vendor/><product id='1'/>", kUnidentified},
        Source{"<vendor id='0'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='0x10000'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='1'/><product id='65536'/>", kUnidentified},
        Source{"<vendor id=''/><product id='1'/>", kUnidentified},
        Source{"<vendor id='0x'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='046d'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='0x046d '/><product id='1'/>", kUnidentified},
        Source{"<vendor id='-1'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='0x-1'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='+1'/><product id='1'/>", kUnidentified},
        Source{"<vendor id='1'/><product id='1'/><vendor id='2'/>", kUnidentified},
        Source{"<vendor id='1'/><product id='1'/><product id='2'/>", kUnidentified},
        Source{"<address bus='3'/>", kUnidentified}, Source{"<address device='5'/>", kUnidentified},
        Source{"<address bus='0' device='5'/>", kUnidentified},
        Source{"<address bus='3' device='0'/>", kUnidentified},
        Source{"<address bus='1000' device='5'/>", kUnidentified},
        Source{"<address bus='3' device='128'/>", kUnidentified},
        Source{"<address bus='3' device='08'/>", kUnidentified},
        Source{"<address bus='3' device='5'/><address bus='3' device='6'/>", kUnidentified},
        // a usable pair does not make up for a malformed one
        Source{"<vendor id='1'/><product id='1'/><address bus='3' device='x'/>", kUnidentified},
        Source{"<vendor id='x'/><product id='1'/><address bus='3' device='5'/>", kUnidentified}));

TEST(DomainXml, RefusesWhatIsNotWellFormed) {
  for (const char* const xml : {"", " ", "text", "<domain>", "<domain><devices></domain>", "<domain id=1/>",
                                "<domain", "<!DOCTYPE x [<!ENTITY", "<!-- "})
    EXPECT_THAT(result_of(xml), HasSubstr("domain XML: ")) << xml;
  EXPECT_EQ(result_of("<domain>"), "domain XML: Start-end tags mismatch at byte 7\n");
}

TEST(DomainXml, RefusesAnotherRootAndASecondOne) {
  EXPECT_EQ(result_of("<network/>"), "domain XML: the root is <network>, expected <domain>\n");
  EXPECT_EQ(result_of("<\xc3\xa4/>"), "domain XML: the root is <\\xc3\\xa4>, expected <domain>\n");
  EXPECT_EQ(result_of("<domain/><domain id='1'/>"), "domain XML: more than one root\n");
}

TEST(DomainXml, RefusesWhatFollowsANul) {
  EXPECT_EQ(result_of(std::string("<domain/>\0<x/>", 14)), "domain XML: a NUL at byte 9\n");
}

TEST(DomainXml, SurvivesDeepNesting) {
  std::string xml = "<domain>";
  for (int i = 0; i < 32'000; ++i) xml += "<a>";
  const std::string open = xml;
  for (int i = 0; i < 32'000; ++i) xml += "</a>";
  EXPECT_EQ(result_of(xml + "</domain>"), "inactive\nunidentified 0\n");
  EXPECT_THAT(result_of(open), HasSubstr("domain XML: "));
  EXPECT_THAT(result_of("<!DOCTYPE d " + std::string(60'000, '<')), HasSubstr("domain XML: "));
}

TEST(DomainXml, HasNoMoreTagsThanThereIsMemoryFor) {
  std::string xml = "<domain>";
  for (int i = 0; i < 65'534; ++i) xml += "<a/>";
  EXPECT_EQ(result_of(xml + "</domain>"), "inactive\nunidentified 0\n");
  EXPECT_EQ(result_of(xml + "<a/></domain>"), "domain XML: more than 65536 tags\n");
}

}  // namespace
}  // namespace whawty::testing
