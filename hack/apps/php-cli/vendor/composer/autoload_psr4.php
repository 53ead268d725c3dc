<?php
return ['Acme\\Formats\\' => dirname(__DIR__) . '/acme/formats/src'];
