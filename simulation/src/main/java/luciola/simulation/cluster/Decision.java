package luciola.simulation.cluster;

import java.util.Optional;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.meta.cluster.ClusterState;

/** What a command of the log makes of the cluster's state, and its reply. */
record Decision(ClusterState state, Optional<CommandReply> reply) {
  static Decision of(ClusterState state, Command command) {
    var reply = CommandReply.newBuilder();
    return switch (command.getCommandCase()) {
      case REGISTER -> {
        var applied = state.register(command.getRegister());
        yield new Decision(
            applied.state(), Optional.of(reply.setRegister(applied.reply()).build()));
      }
      case CHANGE_CHAINS -> {
        var applied = state.changeChains(command.getChangeChains());
        yield new Decision(
            applied.state(), Optional.of(reply.setChangeChains(applied.reply()).build()));
      }
      case TAKE_OFFICE -> {
        var applied = state.takeOffice();
        yield new Decision(
            applied.state(), Optional.of(reply.setTakeOffice(applied.reply()).build()));
      }
      case ADD_TABLE -> {
        var applied = state.addTable(command.getAddTable());
        yield new Decision(
            applied.state(), Optional.of(reply.setAddTable(applied.reply()).build()));
      }
      case OPERATION -> {
        var applied = state.operate(command.getOperation());
        yield new Decision(
            applied.state(), Optional.of(reply.setOperation(applied.reply()).build()));
      }
      case COMMAND_NOT_SET -> new Decision(state, Optional.of(reply.build()));
      default -> throw new IllegalStateException("not simulated: " + command);
    };
  }
}
