package dev.sund.kernel.nft;

import static dev.sund.kernel.netlink.Netlink.NLM_F_ACK;
import static dev.sund.kernel.netlink.Netlink.NLM_F_APPEND;
import static dev.sund.kernel.netlink.Netlink.NLM_F_CREATE;
import static dev.sund.kernel.netlink.Netlink.NLM_F_EXCL;
import static dev.sund.kernel.netlink.Netlink.NLM_F_REPLACE;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** nf_tables objects as messages and back. Numbers are in network order, userdata excepted. */
final class NftCodec {
  private static final int SUBSYSTEM = 10 << 8;
  static final int NEWTABLE = SUBSYSTEM;
  static final int GETTABLE = SUBSYSTEM + 1;
  static final int DELTABLE = SUBSYSTEM + 2;
  static final int NEWCHAIN = SUBSYSTEM + 3;
  static final int GETCHAIN = SUBSYSTEM + 4;
  static final int DELCHAIN = SUBSYSTEM + 5;
  static final int NEWRULE = SUBSYSTEM + 6;
  static final int GETRULE = SUBSYSTEM + 7;
  static final int DELRULE = SUBSYSTEM + 8;
  static final int NEWSET = SUBSYSTEM + 9;
  static final int GETSET = SUBSYSTEM + 10;
  static final int DELSET = SUBSYSTEM + 11;
  static final int NEWSETELEM = SUBSYSTEM + 12;
  static final int GETSETELEM = SUBSYSTEM + 13;
  static final int DELSETELEM = SUBSYSTEM + 14;
  static final int NEWGEN = SUBSYSTEM + 15;
  static final int GETGEN = SUBSYSTEM + 16;
  static final int BATCH_BEGIN = 16;
  static final int BATCH_END = 17;

  /** An attribute holds 65,535 bytes; one more element has room below this. */
  private static final int ELEMENT_LIST_BYTES = 60_000;

  private NftCodec() {}

  // Encoding.

  static NlWriter begin(NlWriter out, int type, int flags, int family, int resource) {
    return out.message(type, flags).putU8(family).putU8(0).putBe16(resource);
  }

  static void writeBatchBegin(NlWriter out, Optional<Integer> generation) {
    begin(out, BATCH_BEGIN, 0, 0, SUBSYSTEM >> 8);
    generation.ifPresent(id -> out.be32(1, id));
    out.end();
  }

  static void writeBatchEnd(NlWriter out) {
    begin(out, BATCH_END, 0, 0, SUBSYSTEM >> 8).end();
  }

  /**
   * Writes the messages of one operation: one, but for lists of elements.
   *
   * @param setIds hands out the numbers by which a transaction knows its own sets
   * @param acknowledged whether the kernel is to acknowledge
   */
  static void write(NlWriter out, NftOp op, SetIds setIds, boolean acknowledged) {
    int ack = acknowledged ? NLM_F_ACK : 0;
    switch (op) {
      case NftOp.CreateTable(var table) -> writeTable(out, table, ack | NLM_F_CREATE | NLM_F_EXCL);
      case NftOp.EnsureTable(var table) -> writeTable(out, table, ack | NLM_F_CREATE);
      case NftOp.DeleteTable(var family, var name) ->
          begin(out, DELTABLE, ack, family).string(1, name).end();
      case NftOp.CreateChain(var chain) -> writeChain(out, chain, ack | NLM_F_CREATE | NLM_F_EXCL);
      case NftOp.EnsureChain(var chain) -> writeChain(out, chain, ack | NLM_F_CREATE);
      case NftOp.DeleteChain(var family, var table, var name) ->
          begin(out, DELCHAIN, ack, family).string(1, table).string(3, name).end();
      case NftOp.AppendRule(var rule) ->
          writeRule(out, rule, ack | NLM_F_CREATE | NLM_F_APPEND, 3, 0);
      case NftOp.InsertRule(var rule, var before) ->
          writeRule(out, rule, ack | NLM_F_CREATE, 6, before);
      case NftOp.ReplaceRule(var rule, var handle) ->
          writeRule(out, rule, ack | NLM_F_REPLACE, 3, handle);
      case NftOp.DeleteRule(var family, var table, var chain, var handle) ->
          begin(out, DELRULE, ack, family).string(1, table).string(2, chain).be64(3, handle).end();
      case NftOp.FlushChain(var family, var table, var chain) ->
          begin(out, DELRULE, ack, family).string(1, table).string(2, chain).end();
      case NftOp.CreateSet(var set) ->
          writeSet(out, set, ack | NLM_F_CREATE | NLM_F_EXCL, setIds.next());
      case NftOp.EnsureSet(var set) -> writeSet(out, set, ack | NLM_F_CREATE, setIds.next());
      case NftOp.DeleteSet(var family, var table, var name) ->
          begin(out, DELSET, ack, family).string(1, table).string(2, name).end();
      case NftOp.AddElements(var family, var table, var set, var elements, var exclusive) ->
          writeElements(
              out,
              NEWSETELEM,
              ack | NLM_F_CREATE | (exclusive ? NLM_F_EXCL : 0),
              family,
              table,
              set,
              elements);
      case NftOp.DeleteElements(var family, var table, var set, var elements) ->
          writeElements(out, DELSETELEM, ack, family, table, set, elements);
      case NftOp.FlushSet(var family, var table, var set) ->
          begin(out, DELSETELEM, ack, family).string(1, table).string(2, set).end();
    }
  }

  /** The numbers by which messages of one transaction name sets that it makes. */
  static final class SetIds {
    private int last;

    int next() {
      return ++last;
    }
  }

  private static NlWriter begin(NlWriter out, int type, int flags, NftFamily family) {
    return begin(out, type, flags, family.number(), 0);
  }

  private static void writeTable(NlWriter out, NftTable table, int flags) {
    begin(out, NEWTABLE, flags, table.family()).string(1, table.name()).be32(2, table.flags());
    writeUserdata(out, 6, table.userdata());
    out.end();
  }

  private static void writeChain(NlWriter out, NftChain chain, int flags) {
    begin(out, NEWCHAIN, flags, chain.family()).string(1, chain.table()).string(3, chain.name());
    chain
        .base()
        .ifPresent(base -> {
          out.nest(4).be32(1, base.hook()).be32(2, base.priority());
          base.device().ifPresent(device -> out.string(3, device));
          out.unnest().be32(5, base.policy().code()).string(7, base.type());
        });
    writeUserdata(out, 12, chain.userdata());
    out.end();
  }

  private static void writeRule(
      NlWriter out, NftRule rule, int flags, int positionType, long position) {
    begin(out, NEWRULE, flags, rule.family()).string(1, rule.table()).string(2, rule.chain());
    if (position != 0) {
      out.be64(positionType, position);
    }
    out.nest(4);
    for (Expr expr : rule.expressions()) {
      ExprCodec.write(out, expr);
    }
    out.unnest();
    writeUserdata(out, 7, rule.userdata());
    out.end();
  }

  private static void writeSet(NlWriter out, NftSet set, int flags, int id) {
    begin(out, NEWSET, flags, set.family())
        .string(1, set.table())
        .string(2, set.name())
        .be32(3, set.flags())
        .be32(4, set.key().number())
        .be32(5, set.key().length());
    set.data().ifPresent(data -> out.be32(6, data.number()).be32(7, data.length()));
    boolean fields = (set.flags() & NftSet.CONCAT) != 0;
    if (set.size() != 0 || fields) {
      out.nest(9);
      if (set.size() != 0) {
        out.be32(1, set.size());
      }
      if (fields) {
        out.nest(2);
        for (NftType.Field field : set.key().fields()) {
          out.nest(1).be32(1, field.length()).unnest();
        }
        out.unnest();
      }
      out.unnest();
    }
    out.be32(10, id);
    set.timeout().ifPresent(timeout -> out.be64(11, timeout.toMillis()));
    writeUserdata(out, 13, set.userdata());
    out.end();
  }

  private static void writeElements(
      NlWriter out,
      int type,
      int flags,
      NftFamily family,
      String table,
      String set,
      List<NftElement> elements) {
    int next = 0;
    // An empty list would ask for the removal of everything: no elements, no message.
    while (next < elements.size()) {
      begin(out, type, flags, family).string(1, table).string(2, set).nest(3);
      do {
        writeElement(out, elements.get(next++));
      } while (next < elements.size() && out.nestedSize() < ELEMENT_LIST_BYTES);
      out.unnest().end();
    }
  }

  private static void writeElement(NlWriter out, NftElement element) {
    out.nest(ExprCodec.LIST_ELEM);
    if (element.intervalEnd()) {
      out.be32(3, 1);
    }
    element.timeout().ifPresent(timeout -> out.be64(4, timeout.toMillis()));
    out.nest(1).bytes(1, element.key().toArray()).unnest();
    element.keyEnd().ifPresent(end -> out.nest(10).bytes(1, end.toArray()).unnest());
    element.data().ifPresent(data -> ExprCodec.writeData(out, 2, data));
    writeUserdata(out, 6, element.userdata());
    out.unnest();
  }

  private static void writeUserdata(NlWriter out, int type, Userdata userdata) {
    if (!userdata.entries().isEmpty()) {
      out.bytes(type, userdata.encode().toArray());
    }
  }

  // Decoding. Each reads a message behind the netlink header.

  static NftFamily readFamily(NlReader in) throws KernelException {
    int number = in.takeU8();
    in.skip(3);
    return NftFamily.of(number)
        .orElseThrow(() -> new Malformed("nf_tables message", "unknown family " + number));
  }

  static NftTable readTable(NlReader in) throws KernelException {
    NftFamily family = readFamily(in);
    String name = "";
    int flags = 0;
    Userdata userdata = Userdata.NONE;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> name = in.string();
        case 2 -> flags = in.be32();
        case 6 -> userdata = Userdata.decode(Bytes.of(in.bytes()));
        default -> {}
      }
    }
    return new NftTable(family, named(name, "table"), flags, userdata);
  }

  static NftChain readChain(NlReader in) throws KernelException {
    NftFamily family = readFamily(in);
    String table = "";
    String name = "";
    String type = "";
    int hook = -1;
    int priority = 0;
    Optional<String> device = Optional.empty();
    int policy = 1;
    Userdata userdata = Userdata.NONE;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> table = in.string();
        case 3 -> name = in.string();
        case 4 -> {
          NlReader nested = in.nested();
          while (nested.next()) {
            switch (nested.type()) {
              case 1 -> hook = nested.be32();
              case 2 -> priority = nested.be32();
              case 3 -> device = Optional.of(nested.string());
              default -> {}
            }
          }
        }
        case 5 -> policy = in.be32();
        case 7 -> type = in.string();
        case 12 -> userdata = Userdata.decode(Bytes.of(in.bytes()));
        default -> {}
      }
    }
    Verdict end = policy == 0 ? Verdict.DROP : Verdict.ACCEPT;
    Optional<NftChain.Base> base =
        hook < 0
            ? Optional.empty()
            : Optional.of(new NftChain.Base(type, hook, priority, end, device));
    return new NftChain(family, table, named(name, "chain"), base, userdata);
  }

  static NftRule readRule(NlReader in) throws KernelException {
    NftFamily family = readFamily(in);
    String table = "";
    String chain = "";
    long handle = 0;
    List<Expr> expressions = new ArrayList<>();
    Userdata userdata = Userdata.NONE;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> table = in.string();
        case 2 -> chain = in.string();
        case 3 -> handle = in.be64();
        case 4 -> {
          NlReader list = in.nested();
          while (list.next()) {
            if (list.type() == ExprCodec.LIST_ELEM) {
              expressions.add(ExprCodec.read(list.nested()));
            }
          }
        }
        case 7 -> userdata = Userdata.decode(Bytes.of(in.bytes()));
        default -> {}
      }
    }
    return new NftRule(family, table, chain, handle, expressions, userdata);
  }

  static NftSet readSet(NlReader in) throws KernelException {
    NftFamily family = readFamily(in);
    String table = "";
    String name = "";
    int flags = 0;
    int keyNumber = 0;
    int keyLength = 0;
    int dataNumber = 0;
    int dataLength = 0;
    int size = 0;
    Optional<Duration> timeout = Optional.empty();
    Userdata userdata = Userdata.NONE;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> table = in.string();
        case 2 -> name = in.string();
        case 3 -> flags = in.be32();
        case 4 -> keyNumber = in.be32();
        case 5 -> keyLength = in.be32();
        case 6 -> dataNumber = in.be32();
        case 7 -> dataLength = in.be32();
        case 9 -> {
          NlReader nested = in.nested();
          while (nested.next()) {
            if (nested.type() == 1) {
              size = nested.be32();
            }
          }
        }
        case 11 -> timeout = Optional.of(Duration.ofMillis(in.be64()));
        case 13 -> userdata = Userdata.decode(Bytes.of(in.bytes()));
        default -> {}
      }
    }
    boolean isMap = (flags & NftSet.MAP) != 0;
    return new NftSet(
        family,
        table,
        named(name, "set"),
        flags,
        NftType.of(keyNumber, keyLength),
        isMap ? Optional.of(NftType.of(dataNumber, dataLength)) : Optional.empty(),
        size,
        timeout,
        userdata);
  }

  /** The elements of one message of a listing. */
  static void readElements(NlReader in, List<NftElement> into) throws KernelException {
    readFamily(in);
    while (in.next()) {
      if (in.type() == 3) {
        readElementList(in.nested(), into);
      }
    }
  }

  private static void readElementList(NlReader list, List<NftElement> into) throws KernelException {
    while (list.next()) {
      if (list.type() == ExprCodec.LIST_ELEM) {
        into.add(readElement(list.nested()));
      }
    }
  }

  private static NftElement readElement(NlReader in) throws KernelException {
    Bytes key = Bytes.EMPTY;
    Optional<Bytes> keyEnd = Optional.empty();
    boolean intervalEnd = false;
    Optional<Data> data = Optional.empty();
    Optional<Duration> timeout = Optional.empty();
    Userdata userdata = Userdata.NONE;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> key = readKey(in.nested());
        case 2 -> data = Optional.of(ExprCodec.readData(in.nested()));
        case 3 -> intervalEnd = (in.be32() & 1) != 0;
        case 4 -> timeout = Optional.of(Duration.ofMillis(in.be64()));
        case 6 -> userdata = Userdata.decode(Bytes.of(in.bytes()));
        case 10 -> keyEnd = Optional.of(readKey(in.nested()));
        default -> {}
      }
    }
    return new NftElement(key, keyEnd, intervalEnd, data, timeout, userdata);
  }

  private static Bytes readKey(NlReader in) throws KernelException {
    return ExprCodec.readData(in) instanceof Data.Value(var bytes) ? bytes : Bytes.EMPTY;
  }

  static NftEvent readEvent(int type, NlReader in) throws KernelException {
    return switch (type) {
      case NEWTABLE, DELTABLE -> new NftEvent.TableChanged(readTable(in), type == DELTABLE);
      case NEWCHAIN, DELCHAIN -> new NftEvent.ChainChanged(readChain(in), type == DELCHAIN);
      case NEWRULE, DELRULE -> new NftEvent.RuleChanged(readRule(in), type == DELRULE);
      case NEWSET, DELSET -> new NftEvent.SetChanged(readSet(in), type == DELSET);
      case NEWSETELEM, DELSETELEM -> readElementsEvent(in, type == DELSETELEM);
      case NEWGEN -> new NftEvent.Committed(readGeneration(in));
      default -> new NftEvent.Other(type);
    };
  }

  private static NftEvent readElementsEvent(NlReader in, boolean gone) throws KernelException {
    NftFamily family = readFamily(in);
    String table = "";
    String set = "";
    List<NftElement> elements = new ArrayList<>();
    while (in.next()) {
      switch (in.type()) {
        case 1 -> table = in.string();
        case 2 -> set = in.string();
        case 3 -> readElementList(in.nested(), elements);
        default -> {}
      }
    }
    return new NftEvent.ElementsChanged(family, table, set, elements, gone);
  }

  static Generation readGeneration(NlReader in) throws KernelException {
    in.skip(4);
    int id = 0;
    int process = 0;
    String program = "";
    while (in.next()) {
      switch (in.type()) {
        case 1 -> id = in.be32();
        case 2 -> process = in.be32();
        case 3 -> program = in.string();
        default -> {}
      }
    }
    return new Generation(id, process, program);
  }

  private static String named(String name, String what) throws Malformed {
    if (name.isEmpty()) {
      throw new Malformed("nf_tables " + what, "it has no name");
    }
    return name;
  }
}
