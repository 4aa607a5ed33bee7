// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "matcher/known/domain_xml.h"

#include <gmock/gmock.h>

#include "common/text.h"
#include "tests/matcher/corpus.h"

namespace whawty {
namespace {

using testing::HasSubstr;

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

std::optional<std::uint32_t> run_of(const std::string& id) {
  return std::get<DomainDescription>(parse_domain_xml("<domain id='" + id + "'/>")).run;
}

class DomainXmlCorpus : public testing::TestWithParam<CorpusCase> {};

TEST_P(DomainXmlCorpus, GivesWhatStandsBesideIt) {
  EXPECT_EQ(result_of(read_file(GetParam().input)), read_file(GetParam().expectation));
}

INSTANTIATE_TEST_SUITE_P(Files, DomainXmlCorpus,
                         testing::ValuesIn(corpus(WHAWTY_CORPUS, ".xml", ".expected")), kByName);

TEST(DomainXml, NumbersThatNameADeviceAreReadLikeThis) {
  for (const auto& [source, hostdev] :
       {std::pair{"<vendor id='0x046d'/><product id='0x0825'/>", "000/000 046d:0825"},
        {"<vendor id='0X046D'/><product id='0x825'/>", "000/000 046d:0825"},
        {"<vendor id='1133'/><product id='04045'/>", "000/000 046d:0825"},
        {"<vendor id='0xffff'/><product id='0'/>", "000/000 ffff:0000"},
        {"<product id='0x0825'/><vendor id='0x046d'/>", "000/000 046d:0825"},
        {"<address bus='3' device='5'/>", "003/005 0000:0000"},
        {"<address bus='0x3' device='010'/>", "003/008 0000:0000"},
        {"<address bus='999' device='127'/>", "999/127 0000:0000"},
        {"<vendor id='0x046d'/><product id='0x0825'/><address bus='3' device='5'/>", "003/005 046d:0825"}})
    EXPECT_EQ(result_of(with_source(source)), concat("active\nhostdev ", hostdev, "\nunidentified 0\n"))
        << source;
}

TEST(DomainXml, TheIdOfADomainThatRunsIsANumber) {
  EXPECT_EQ(run_of("0"), 0U);
  EXPECT_EQ(run_of("4294967295"), 4294967295U);
  for (const char* const id : {"", "4294967296", "-1", "+1", " 1", "1 ", "0x1", "one"})
    EXPECT_EQ(run_of(id), std::nullopt) << id;
}

TEST(DomainXml, NumbersThatNameNoneLeaveAHostdevUnidentified) {
  for (const char* const source :
       {"", "<vendor id='0x046d'/>", "<product id='0x0825'/>", "<vendor/><product id='1'/>",
        "<vendor id='0'/><product id='1'/>", "<vendor id='0x10000'/><product id='1'/>",
        "<vendor id='1'/><product id='65536'/>", "<vendor id=''/><product id='1'/>",
        "<vendor id='0x'/><product id='1'/>", "<vendor id='046d'/><product id='1'/>",
        "<vendor id='0x046d '/><product id='1'/>", "<vendor id='-1'/><product id='1'/>",
        "<vendor id='0x-1'/><product id='1'/>", "<vendor id='+1'/><product id='1'/>",
        "<vendor id='1'/><product id='1'/><vendor id='2'/>",
        "<vendor id='1'/><product id='1'/><product id='2'/>", "<address bus='3'/>", "<address device='5'/>",
        "<address bus='0' device='5'/>", "<address bus='3' device='0'/>", "<address bus='1000' device='5'/>",
        "<address bus='3' device='128'/>", "<address bus='3' device='08'/>",
        "<address bus='3' device='5'/><address bus='3' device='6'/>",
        // a usable pair does not make up for a malformed one
        "<vendor id='1'/><product id='1'/><address bus='3' device='x'/>",
        "<vendor id='x'/><product id='1'/><address bus='3' device='5'/>"})
    EXPECT_EQ(result_of(with_source(source)), "active\nunidentified 1\n") << source;
}

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
}  // namespace whawty
