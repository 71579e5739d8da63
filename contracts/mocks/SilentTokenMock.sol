// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// TEST DOUBLE, never to be deployed for use. As some old tokens are: transfers and approvals return nothing, and an
/// allowance that is left over must be taken back before another is given.
contract SilentTokenMock {
    error InsufficientFunds(uint256 held, uint256 required);
    error AllowanceLeft(uint256 amount);

    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    uint256 public totalSupply;

    function mint(address account, uint256 amount) external {
        totalSupply += amount;
        balanceOf[account] += amount;
    }

    function approve(address spender, uint256 amount) external {
        uint256 left = allowance[msg.sender][spender];
        require(amount == 0 || left == 0, AllowanceLeft(left));
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, InsufficientFunds(allowed, amount));
        allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        require(balanceOf[from] >= amount, InsufficientFunds(balanceOf[from], amount));
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
