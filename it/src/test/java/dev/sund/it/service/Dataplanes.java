package dev.sund.it.service;

import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.SocketRoutes;
import dev.sund.dataplane.nft.ForwardDriver;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.dataplane.xtables.LegacyForwardDriver;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import java.nio.file.Path;

/** The ways in which a program is put into a kernel. Every scene holds for each of them. */
public enum Dataplanes {
  NFT {
    @Override
    Dataplane open(SocketRoutes kernel, NetNs node, Path state) throws KernelException {
      return Dataplane.of(
          kernel,
          state,
          new NftDriver(NftPort.over(NftSocket.open(node)), FailPoint.NONE),
          new PolicyDriver(NftPort.ofPolicies(NftSocket.open(node)), FailPoint.NONE),
          new ForwardDriver(NftPort.over(NftSocket.open(node))),
          LegacyForwardDriver.open(node));
    }
  };

  /** The drivers of a node. */
  abstract Dataplane open(SocketRoutes kernel, NetNs node, Path state) throws KernelException;
}
