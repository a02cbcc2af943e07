package dev.sund.kernel.nft;

import static dev.sund.kernel.netlink.Netlink.NLM_F_ACK;
import static dev.sund.kernel.netlink.Netlink.NLM_F_APPEND;
import static dev.sund.kernel.netlink.Netlink.NLM_F_CREATE;
import static dev.sund.kernel.netlink.Netlink.NLM_F_EXCL;
import static dev.sund.kernel.netlink.Netlink.NLM_F_REPLACE;
import static dev.sund.kernel.nft.Nfta.BATCH_GENID;
import static dev.sund.kernel.nft.Nfta.CHAIN_HOOK;
import static dev.sund.kernel.nft.Nfta.CHAIN_NAME;
import static dev.sund.kernel.nft.Nfta.CHAIN_POLICY;
import static dev.sund.kernel.nft.Nfta.CHAIN_TABLE;
import static dev.sund.kernel.nft.Nfta.CHAIN_TYPE;
import static dev.sund.kernel.nft.Nfta.CHAIN_USERDATA;
import static dev.sund.kernel.nft.Nfta.DATA_VALUE;
import static dev.sund.kernel.nft.Nfta.GEN_ID;
import static dev.sund.kernel.nft.Nfta.GEN_PROC_NAME;
import static dev.sund.kernel.nft.Nfta.GEN_PROC_PID;
import static dev.sund.kernel.nft.Nfta.HOOK_DEV;
import static dev.sund.kernel.nft.Nfta.HOOK_HOOKNUM;
import static dev.sund.kernel.nft.Nfta.HOOK_PRIORITY;
import static dev.sund.kernel.nft.Nfta.LIST_ELEM;
import static dev.sund.kernel.nft.Nfta.RULE_CHAIN;
import static dev.sund.kernel.nft.Nfta.RULE_EXPRESSIONS;
import static dev.sund.kernel.nft.Nfta.RULE_HANDLE;
import static dev.sund.kernel.nft.Nfta.RULE_POSITION;
import static dev.sund.kernel.nft.Nfta.RULE_TABLE;
import static dev.sund.kernel.nft.Nfta.RULE_USERDATA;
import static dev.sund.kernel.nft.Nfta.SET_DATA_LEN;
import static dev.sund.kernel.nft.Nfta.SET_DATA_TYPE;
import static dev.sund.kernel.nft.Nfta.SET_DESC;
import static dev.sund.kernel.nft.Nfta.SET_DESC_CONCAT;
import static dev.sund.kernel.nft.Nfta.SET_DESC_SIZE;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_DATA;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_FLAGS;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_KEY;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_KEY_END;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_LIST_ELEMENTS;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_LIST_SET;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_LIST_TABLE;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_TIMEOUT;
import static dev.sund.kernel.nft.Nfta.SET_ELEM_USERDATA;
import static dev.sund.kernel.nft.Nfta.SET_FIELD_LEN;
import static dev.sund.kernel.nft.Nfta.SET_FLAGS;
import static dev.sund.kernel.nft.Nfta.SET_ID;
import static dev.sund.kernel.nft.Nfta.SET_KEY_LEN;
import static dev.sund.kernel.nft.Nfta.SET_KEY_TYPE;
import static dev.sund.kernel.nft.Nfta.SET_NAME;
import static dev.sund.kernel.nft.Nfta.SET_TABLE;
import static dev.sund.kernel.nft.Nfta.SET_TIMEOUT;
import static dev.sund.kernel.nft.Nfta.SET_USERDATA;
import static dev.sund.kernel.nft.Nfta.TABLE_FLAGS;
import static dev.sund.kernel.nft.Nfta.TABLE_NAME;
import static dev.sund.kernel.nft.Nfta.TABLE_USERDATA;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

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
  static final int TRACE = SUBSYSTEM + 17;
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
    generation.ifPresent(id -> out.be32(BATCH_GENID, id));
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
          begin(out, DELTABLE, ack, family).string(TABLE_NAME, name).end();
      case NftOp.CreateChain(var chain) -> writeChain(out, chain, ack | NLM_F_CREATE | NLM_F_EXCL);
      case NftOp.EnsureChain(var chain) -> writeChain(out, chain, ack | NLM_F_CREATE);
      case NftOp.DeleteChain(var family, var table, var name) ->
          begin(out, DELCHAIN, ack, family)
              .string(CHAIN_TABLE, table)
              .string(CHAIN_NAME, name)
              .end();
      case NftOp.AppendRule(var rule) ->
          writeRule(out, rule, ack | NLM_F_CREATE | NLM_F_APPEND, RULE_HANDLE, 0);
      case NftOp.InsertRule(var rule, var before) ->
          writeRule(out, rule, ack | NLM_F_CREATE, RULE_POSITION, before);
      case NftOp.ReplaceRule(var rule, var handle) ->
          writeRule(out, rule, ack | NLM_F_REPLACE, RULE_HANDLE, handle);
      case NftOp.DeleteRule(var family, var table, var chain, var handle) ->
          begin(out, DELRULE, ack, family)
              .string(RULE_TABLE, table)
              .string(RULE_CHAIN, chain)
              .be64(RULE_HANDLE, handle)
              .end();
      case NftOp.FlushChain(var family, var table, var chain) ->
          begin(out, DELRULE, ack, family)
              .string(RULE_TABLE, table)
              .string(RULE_CHAIN, chain)
              .end();
      case NftOp.CreateSet(var set) ->
          writeSet(out, set, ack | NLM_F_CREATE | NLM_F_EXCL, setIds.next());
      case NftOp.EnsureSet(var set) -> writeSet(out, set, ack | NLM_F_CREATE, setIds.next());
      case NftOp.DeleteSet(var family, var table, var name) ->
          begin(out, DELSET, ack, family)
              .string(SET_ELEM_LIST_TABLE, table)
              .string(SET_ELEM_LIST_SET, name)
              .end();
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
          begin(out, DELSETELEM, ack, family)
              .string(SET_ELEM_LIST_TABLE, table)
              .string(SET_ELEM_LIST_SET, set)
              .end();
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
    begin(out, NEWTABLE, flags, table.family())
        .string(TABLE_NAME, table.name())
        .be32(TABLE_FLAGS, table.flags());
    writeUserdata(out, TABLE_USERDATA, table.userdata());
    out.end();
  }

  private static void writeChain(NlWriter out, NftChain chain, int flags) {
    begin(out, NEWCHAIN, flags, chain.family())
        .string(CHAIN_TABLE, chain.table())
        .string(CHAIN_NAME, chain.name());
    chain
        .base()
        .ifPresent(base -> {
          out.nest(CHAIN_HOOK).be32(HOOK_HOOKNUM, base.hook()).be32(HOOK_PRIORITY, base.priority());
          base.device().ifPresent(device -> out.string(HOOK_DEV, device));
          out.unnest().be32(CHAIN_POLICY, base.policy().code()).string(CHAIN_TYPE, base.type());
        });
    writeUserdata(out, CHAIN_USERDATA, chain.userdata());
    out.end();
  }

  private static void writeRule(
      NlWriter out, NftRule rule, int flags, int positionType, long position) {
    begin(out, NEWRULE, flags, rule.family())
        .string(RULE_TABLE, rule.table())
        .string(RULE_CHAIN, rule.chain());
    if (position != 0) {
      out.be64(positionType, position);
    }
    out.nest(RULE_EXPRESSIONS);
    for (Expr expr : rule.expressions()) {
      ExprCodec.write(out, expr);
    }
    out.unnest();
    writeUserdata(out, RULE_USERDATA, rule.userdata());
    out.end();
  }

  private static void writeSet(NlWriter out, NftSet set, int flags, int id) {
    begin(out, NEWSET, flags, set.family())
        .string(SET_TABLE, set.table())
        .string(SET_NAME, set.name())
        .be32(SET_FLAGS, set.flags())
        .be32(SET_KEY_TYPE, set.key().number())
        .be32(SET_KEY_LEN, set.key().length());
    set.data()
        .ifPresent(
            data -> out.be32(SET_DATA_TYPE, data.number()).be32(SET_DATA_LEN, data.length()));
    boolean fields = (set.flags() & NftSet.CONCAT) != 0;
    if (set.size() != 0 || fields) {
      out.nest(SET_DESC);
      if (set.size() != 0) {
        out.be32(SET_DESC_SIZE, set.size());
      }
      if (fields) {
        out.nest(SET_DESC_CONCAT);
        for (NftType.Field field : set.key().fields()) {
          out.nest(LIST_ELEM).be32(SET_FIELD_LEN, field.length()).unnest();
        }
        out.unnest();
      }
      out.unnest();
    }
    out.be32(SET_ID, id);
    set.timeout().ifPresent(timeout -> out.be64(SET_TIMEOUT, timeout.toMillis()));
    writeUserdata(out, SET_USERDATA, set.userdata());
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
      begin(out, type, flags, family)
          .string(SET_ELEM_LIST_TABLE, table)
          .string(SET_ELEM_LIST_SET, set)
          .nest(SET_ELEM_LIST_ELEMENTS);
      do {
        writeElement(out, elements.get(next++));
      } while (next < elements.size() && out.nestedSize() < ELEMENT_LIST_BYTES);
      out.unnest().end();
    }
  }

  private static void writeElement(NlWriter out, NftElement element) {
    out.nest(LIST_ELEM);
    if (element.intervalEnd()) {
      out.be32(SET_ELEM_FLAGS, 1);
    }
    // No lambdas: each would be an object, made by a slow call where code is compiled only once.
    if (element.timeout().isPresent()) {
      out.be64(SET_ELEM_TIMEOUT, element.timeout().get().toMillis());
    }
    out.nest(SET_ELEM_KEY);
    element.key().writeTo(out, DATA_VALUE);
    out.unnest();
    if (element.keyEnd().isPresent()) {
      out.nest(SET_ELEM_KEY_END);
      element.keyEnd().get().writeTo(out, DATA_VALUE);
      out.unnest();
    }
    if (element.data().isPresent()) {
      ExprCodec.writeData(out, SET_ELEM_DATA, element.data().get());
    }
    writeUserdata(out, SET_ELEM_USERDATA, element.userdata());
    out.unnest();
  }

  private static void writeUserdata(NlWriter out, int type, Userdata userdata) {
    if (!userdata.entries().isEmpty()) {
      out.open(type);
      userdata.writeTo(out);
      out.unnest();
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
        case TABLE_NAME -> name = in.string();
        case TABLE_FLAGS -> flags = in.be32();
        case TABLE_USERDATA -> userdata = Userdata.decode(Bytes.of(in.bytes()));
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
        case CHAIN_TABLE -> table = in.string();
        case CHAIN_NAME -> name = in.string();
        case CHAIN_HOOK -> {
          NlReader nested = in.nested();
          while (nested.next()) {
            switch (nested.type()) {
              case HOOK_HOOKNUM -> hook = nested.be32();
              case HOOK_PRIORITY -> priority = nested.be32();
              case HOOK_DEV -> device = Optional.of(nested.string());
              default -> {}
            }
          }
        }
        case CHAIN_POLICY -> policy = in.be32();
        case CHAIN_TYPE -> type = in.string();
        case CHAIN_USERDATA -> userdata = Userdata.decode(Bytes.of(in.bytes()));
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
        case RULE_TABLE -> table = in.string();
        case RULE_CHAIN -> chain = in.string();
        case RULE_HANDLE -> handle = in.be64();
        case RULE_EXPRESSIONS -> {
          NlReader list = in.nested();
          while (list.next()) {
            if (list.type() == LIST_ELEM) {
              expressions.add(ExprCodec.read(list.nested()));
            }
          }
        }
        case RULE_USERDATA -> userdata = Userdata.decode(Bytes.of(in.bytes()));
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
        case SET_TABLE -> table = in.string();
        case SET_NAME -> name = in.string();
        case SET_FLAGS -> flags = in.be32();
        case SET_KEY_TYPE -> keyNumber = in.be32();
        case SET_KEY_LEN -> keyLength = in.be32();
        case SET_DATA_TYPE -> dataNumber = in.be32();
        case SET_DATA_LEN -> dataLength = in.be32();
        case SET_DESC -> {
          NlReader nested = in.nested();
          while (nested.next()) {
            if (nested.type() == SET_DESC_SIZE) {
              size = nested.be32();
            }
          }
        }
        case SET_TIMEOUT -> timeout = Optional.of(Duration.ofMillis(in.be64()));
        case SET_USERDATA -> userdata = Userdata.decode(Bytes.of(in.bytes()));
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
      if (in.type() == SET_ELEM_LIST_ELEMENTS) {
        readElementList(in.nested(), into);
      }
    }
  }

  private static void readElementList(NlReader list, List<NftElement> into) throws KernelException {
    while (list.next()) {
      if (list.type() == LIST_ELEM) {
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
        case SET_ELEM_KEY -> key = readKey(in.nested());
        case SET_ELEM_DATA -> data = Optional.of(ExprCodec.readData(in.nested()));
        case SET_ELEM_FLAGS -> intervalEnd = (in.be32() & 1) != 0;
        case SET_ELEM_TIMEOUT -> timeout = Optional.of(Duration.ofMillis(in.be64()));
        case SET_ELEM_USERDATA -> userdata = Userdata.decode(Bytes.of(in.bytes()));
        case SET_ELEM_KEY_END -> keyEnd = Optional.of(readKey(in.nested()));
        default -> {}
      }
    }
    return new NftElement(key, keyEnd, intervalEnd, data, timeout, userdata);
  }

  private static Bytes readKey(NlReader in) throws KernelException {
    return ExprCodec.readData(in) instanceof Data.Value(var bytes) ? bytes : Bytes.EMPTY;
  }

  /** Whether a message is about this table, or about a transaction as such. */
  static boolean isAbout(int type, NlReader in, NftFamily family, String table)
      throws KernelException {
    if (type == NEWGEN) {
      return true;
    }
    if (in.takeU8() != family.number()) {
      return false;
    }
    in.skip(3);
    while (in.next()) {
      if (in.type() == TABLE_NAME) { // the same number in the messages of all objects
        return in.string().equals(table);
      }
    }
    return false;
  }

  /**
   * Whether a message may be about who drops what is forwarded: a table that is gone, a base chain
   * at the hook forward, a chain of one of {@code names}, or a rule that is gone from one of these.
   */
  static boolean mayForward(int type, NlReader in, Predicate<String> names) throws KernelException {
    return switch (type) {
      case DELTABLE -> true;
      case NEWCHAIN, DELCHAIN -> {
        NftChain chain = readChain(in);
        int hook = chain.base().map(NftChain.Base::hook).orElse(-1);
        yield hook == NftChain.Hook.FORWARD.number() || names.test(chain.name());
      }
      case DELRULE -> {
        in.skip(4);
        boolean named = false;
        while (!named && in.next()) {
          named = in.type() == RULE_CHAIN && names.test(in.string());
        }
        yield named;
      }
      default -> false;
    };
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
        case SET_ELEM_LIST_TABLE -> table = in.string();
        case SET_ELEM_LIST_SET -> set = in.string();
        case SET_ELEM_LIST_ELEMENTS -> readElementList(in.nested(), elements);
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
        case GEN_ID -> id = in.be32();
        case GEN_PROC_PID -> process = in.be32();
        case GEN_PROC_NAME -> program = in.string();
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
