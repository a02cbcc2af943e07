package dev.sund.it.service;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.lab.measure.SctpPacket;
import dev.sund.lab.measure.SctpPacket.Chunk;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * SCTP without sockets of it, which many kernels lack: the first packet of an association by a raw
 * socket, and raw sockets in pods that grant it at {@link ServiceBed#PORTS} and refuse it at
 * others.
 */
final class SctpInits implements AutoCloseable {
  private static final AtomicInteger TAGS = new AtomicInteger(0x5d5d0000);
  private static final long PATIENCE_NANOS = 700_000_000L;

  /** Where an answer is sure to come. */
  private static final long ANSWER_NANOS = 20_000_000_000L;

  private record Receiver(String name, NetSocket socket) {}

  private final List<Receiver> receivers = new ArrayList<>();
  private final MessageBuffer buffer = new MessageBuffer(2048);

  /**
   * Watches.
   *
   * @param family of what is asked
   * @param places who may get it, by name
   */
  static SctpInits watch(Family family, Map<String, NetNs> places) throws KernelException {
    SctpInits inits = new SctpInits();
    for (var place : places.entrySet()) {
      inits.receivers.add(new Receiver(place.getKey(), raw(place.getValue(), family)));
    }
    return inits;
  }

  private static NetSocket raw(NetNs namespace, Family family) throws KernelException {
    return namespace.<NetSocket, KernelException>call(
        () -> NetSocket.raw(family, Protocol.SCTP.number()).queueErrors());
  }

  /**
   * Asks once, from a port of its own.
   *
   * @param answered whether an answer is sure to come, and waited for however busy the machine is
   */
  Heard ask(NetNs from, Ip address, int port, boolean answered)
      throws KernelException, InterruptedException {
    int now = TAGS.incrementAndGet();
    SctpPacket init = new SctpPacket(20_000 + (now & 0xfff), port, Chunk.INIT, now);
    try (NetSocket sender = raw(from, address.family())) {
      int result = buffer.sendTo(sender, init.write(buffer), new Endpoint(address, 0));
      // What the asker's own kernel does not let out is told by the queue of errors, or not at all.
      if (result < 0 && !Errno.EPERM.is(result)) {
        throw Errno.exception("send", address.toString(), -result, "", Capability.NET_RAW);
      }
      return outcome(sender, now, answered ? ANSWER_NANOS : PATIENCE_NANOS);
    }
  }

  private Heard outcome(NetSocket sender, int wanted, long patience) throws InterruptedException {
    Heard granted = Heard.SILENCE;
    long deadline = System.nanoTime() + patience;
    while (System.nanoTime() < deadline) {
      for (Receiver receiver : receivers) {
        granted = answer(receiver, wanted).orElse(granted);
      }
      Optional<SctpPacket> reply = receive(sender, wanted);
      if (reply.isPresent() && reply.get().chunk() == Chunk.INIT_ACK) {
        return granted;
      }
      boolean told = buffer.receiveError(sender) >= 0;
      if (told || (reply.isPresent() && reply.get().chunk() == Chunk.ABORT)) {
        return Heard.REFUSED;
      }
      Thread.sleep(2);
    }
    return Heard.SILENCE;
  }

  private Optional<SctpPacket> receive(NetSocket socket, int wanted) {
    int length = buffer.receive(socket);
    return length < 0
        ? Optional.empty()
        : SctpPacket.received(buffer.data(), length, socket.family())
            .filter(packet -> packet.tag() == wanted);
  }

  private Optional<Heard> answer(Receiver receiver, int wanted) {
    Optional<SctpPacket> init =
        receive(receiver.socket, wanted).filter(packet -> packet.chunk() == Chunk.INIT);
    if (init.isEmpty()) {
      return Optional.empty();
    }
    Ip source = buffer.from().orElseThrow().ip();
    boolean open = ServiceBed.PORTS.contains(init.get().destinationPort());
    SctpPacket answer = init.get().answer(open ? Chunk.INIT_ACK : Chunk.ABORT);
    buffer.sendTo(receiver.socket, answer.write(buffer), new Endpoint(source, 0));
    return Optional.of(Heard.answered(receiver.name, source.toString()));
  }

  @Override
  public void close() {
    receivers.forEach(receiver -> receiver.socket.close());
  }
}
