// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
#include "protocol/matcher_to_actuator.h"

#include "common/bounds.h"
#include "protocol/frame.h"
#include "protocol/schema/matcher_to_actuator.capnp.h"

namespace whawty {
namespace {

void write_hostdev(schema::HostdevRequest::Builder out, const Uuid& domain, const Hostdev& hostdev) {
  auto uuid = out.initDomain();
  uuid.setHigh(domain.high);
  uuid.setLow(domain.low);
  out.setBus(hostdev.bus);
  out.setDevice(hostdev.device);
  out.setVendor(hostdev.vendor);
  out.setProduct(hostdev.product);
}

Uuid read_uuid(schema::Uuid::Reader uuid) {
  return {uuid.getHigh(), uuid.getLow()};
}

Hostdev read_hostdev(schema::HostdevRequest::Reader request) {
  const Hostdev hostdev{request.getBus(), request.getDevice(), request.getVendor(), request.getProduct()};
  if (hostdev.bus > kMaxBus || hostdev.device > kMaxDeviceNumber)
    throw Violation("a bus or device number out of bounds");
  if ((hostdev.bus == 0) != (hostdev.device == 0))
    throw Violation("a bus without a device number, or the other way round");
  if (hostdev.vendor == 0 && hostdev.product != 0) throw Violation("a product without its vendor");
  return hostdev;
}

AttachHostdev read_attach(schema::HostdevRequest::Reader request) {
  const Hostdev hostdev = read_hostdev(request);
  if (hostdev.bus == 0 || hostdev.vendor == 0)
    throw Violation("an attach request that does not say all of its device");
  return {read_uuid(request.getDomain()), hostdev, frame::read_digest(request.getDigest())};
}

DetachHostdev read_detach(schema::HostdevRequest::Reader request) {
  const Hostdev hostdev = read_hostdev(request);
  if (hostdev.bus == 0 && hostdev.vendor == 0)
    throw Violation("a detach request that says nothing of its device");
  return {read_uuid(request.getDomain()), hostdev};
}

Request read_request(schema::Request::Reader request) {
  const std::uint64_t id = request.getId();
  switch (request.which()) {
    case schema::Request::LIST:
      return {id, ListDomains{}};
    case schema::Request::DESCRIBE:
      return {id, DescribeDomain{read_uuid(request.getDescribe())}};
    case schema::Request::ATTACH:
      return {id, read_attach(request.getAttach())};
    case schema::Request::DETACH:
      return {id, read_detach(request.getDetach())};
    case schema::Request::PING:
      return {id, Ping{}};
  }
  throw Violation("a request of an unknown kind");
}

struct Writer {
  schema::Request::Builder out;
  void operator()(const Ping&) { out.setPing(); }
  void operator()(const ListDomains&) { out.setList(); }
  void operator()(const DescribeDomain& describe) {
    auto uuid = out.initDescribe();
    uuid.setHigh(describe.domain.high);
    uuid.setLow(describe.domain.low);
  }
  void operator()(const AttachHostdev& attach) {
    auto request = out.initAttach();
    write_hostdev(request, attach.domain, attach.hostdev);
    frame::write_digest(request.initDigest(), attach.digest);
  }
  void operator()(const DetachHostdev& detach) {
    write_hostdev(out.initDetach(), detach.domain, detach.hostdev);
  }
};

}  // namespace

Datagram encode(const Request& request) {
  frame::Builder builder;
  auto root = builder.initRoot<schema::Request>();
  root.setId(request.id);
  std::visit(Writer{root}, request.what);
  return frame::finish(builder);
}

Request decode_request(const Datagram& datagram) {
  return frame::decode<schema::Request>(datagram, read_request);
}

}  // namespace whawty
