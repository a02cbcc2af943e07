package dev.sund.dataplane.nft;

import dev.sund.engine.program.Frontend.Place;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.List;

/**
 * The four kinds of frontends that have maps and chains of their own: of each family, those at one
 * address, and those at all of the node's addresses, whose keys have no address.
 */
enum FrontendGroup {
  V4(Family.V4, false),
  V6(Family.V6, false),
  NODE_V4(Family.V4, true),
  NODE_V6(Family.V6, true);

  private final Family family;
  private final boolean node;
  private final String frontends;
  private final String externals;
  private final String endpoints;

  FrontendGroup(Family family, boolean node) {
    this.family = family;
    this.node = node;
    // Kept, since each element's place refers to one.
    this.frontends = "frontends-" + label();
    this.externals = "externals-" + label();
    this.endpoints = "endpoints-" + label();
  }

  static FrontendGroup of(Place place) {
    boolean v4 = place.family() == Family.V4;
    return switch (place) {
      case Place.At _ -> v4 ? V4 : V6;
      case Place.AnyLocal _ -> v4 ? NODE_V4 : NODE_V6;
    };
  }

  Family family() {
    return family;
  }

  /** Whether its frontends are at all of the node's addresses. */
  boolean isNode() {
    return node;
  }

  NftFamily nat() {
    return family == Family.V4 ? NftFamily.IP : NftFamily.IP6;
  }

  /** {@code v4} or {@code node-v4}. */
  String label() {
    return (node ? "node-" : "") + family.label();
  }

  String frontends() {
    return frontends;
  }

  /** The map of what those outside get, where that makes a difference. */
  String externals() {
    return externals;
  }

  String endpoints() {
    return endpoints;
  }

  /** The chain that translates the destination once the mark names the endpoint. */
  String pick() {
    return "pick-" + label();
  }

  /** The chain that lets those sources pass that may ask, and no others. */
  String allowed() {
    return "allowed-" + label();
  }

  /** The chain that leads clients to the endpoint that they keep. */
  String kept() {
    return "kept-" + label();
  }

  NftType.Field address() {
    return family == Family.V4 ? NftType.IPV4_ADDR : NftType.IPV6_ADDR;
  }

  /** The fields of a frontend's key. */
  List<NftType.Field> key() {
    List<NftType.Field> fields = new ArrayList<>();
    if (!node) {
      fields.add(address());
    }
    fields.add(NftType.INET_PROTO);
    fields.add(NftType.INET_SERVICE);
    return fields;
  }

  /** The number of bytes in front of the protocol in a key. */
  int addressBytes() {
    return node ? 0 : family.bytes();
  }

  /** The register in which a field of a key is, by its offset in bytes. */
  static Reg register(int offset) {
    return Reg.word(offset / 4);
  }
}
